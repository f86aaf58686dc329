import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { envelopeShape } from '../../cli/output/schema.ts';
import { commandName, projectFolder } from '../../packaging/products.ts';
import { agentOf, run } from './call.ts';
import { flavours } from './flavours.ts';

// C1, C2: the command for people, as its documentation calls it, in both flavours.

const path = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };

/** Every `tsha plan …` between backticks. */
const documented = [...pages('docs'), 'README.md', 'README.zh-CN.md', 'CHANGELOG.md'].flatMap((page) =>
  [...readFileSync(join(projectFolder, page), 'utf8').matchAll(/`tsha (plan -[^`…]*)`/g)].map(
    ([, call = '']) => call,
  ),
);

function pages(folder: string): readonly string[] {
  return readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

describe.each(flavours)('%s', (flavour) => {
  const tsha = (args: readonly string[], env = {}) =>
    run([agentOf(flavour, commandName), ...args], { ...path, ...env });

  test('the documentation calls it', () => expect(documented).not.toEqual([]));

  test.each([...new Set(documented)])('C1: tsha %s', async (call) => {
    const answer = await tsha(call.split(' '));
    expect(answer).toMatchObject({ code: 0, stderr: '' });
    expect(answer.stdout.split('\n').filter((line) => !/^(pcs |$)/.test(line))).toEqual([]);
  });

  test.each<readonly [string, number, RegExp]>([
    ['--help', 0, /tsha plan/],
    ['plan --help', 0, /--ip/],
    ['--version', 0, /^\d+\.\d+\.\d+\n$/],
    ['', 3, /Which command\?/],
    ['plan', 3, /there is no \/etc\/tsha\/tsha\.yaml: tsha init writes it/],
    ['plan -c /nowhere/tsha.yaml --lang zh', 3, /没有 \/nowhere\/tsha\.yaml/],
    ['plan --ip 10.0.0.9 -c x', 3, /--config and --ip exclude each other/],
    ['plan --as=toml', 3, /toml/],
    ['no_such_command', 3, /no_such_command/],
    ['status --such-option', 3, /such-option/],
    ['status -w=soon', 3, /--watch takes a number of seconds/],
    ['maintenance on', 3, /maintenance on NODE/],
    ['maintenance up node1', 3, /maintenance|Choices/],
    ['switch a b', 3, /b/],
    ['agent', 3, /name|Not enough/],
    ['agent nobody start', 3, /there is no agent nobody/],
    ['--no-color agent nobody start', 3, /there is no agent nobody/],
    ['--color false agent IPaddr2 monitor', 3, /agent NAME ACTION/],
    ['agent IPaddr2 monitor --quiet', 3, /tsha agent has no --quiet/],
    ['agent IPaddr2 dance', 3, /IPaddr2 has no action dance/],
    ['explain SPLIT_BRAIN', 0, /tsha split-brain/],
    ['--lang zh explain SPLIT_BRAIN', 0, /两个节点/],
    ['plan --ip 10.0.0.9', 0, /ip=10\.0\.0\.9 cidr_netmask=24 op/],
    ['plan --ip 10.0.0.9 --prefix 16', 0, /ip=10\.0\.0\.9 cidr_netmask=16 op/],
    ['plan --ip 10.0.0.9 --file cib.xml', 0, /^pcs -f cib\.xml /],
    ['plan --ip 10.0.0.9 --such-option', 3, /such-option/],
    ['plan --ip 10.0.0.999', 3, /--ip 10\.0\.0\.999 is not an address/],
    ['plan --ip fe80::1%eth0', 3, /--ip fe80::1%eth0 is not an address/],
    ['plan --ip 10.0.0.9 --ip 10.0.0.8', 3, /--ip is given more than once/],
    ['plan --ip 10.0.0.9 --device=', 3, /--device has no value/],
    ['plan --ip 2001:db8::5', 0, /ip=2001:db8::5 op/],
    ['plan --ip 2001:db8::5 --prefix 64', 0, /ip=2001:db8::5 cidr_netmask=64 op/],
    ...['abc', '0', '33', '24.5', '-1', '1e1', '0x18', '+24'].map(
      (prefix) =>
        [`plan --ip 10.0.0.9 --prefix=${prefix}`, 3, /is not a prefix length from 1 to 32/] as const,
    ),
    ['plan --ip 2001:db8::5 --prefix 129', 3, /--prefix 129 is not a prefix length from 1 to 128/],
    ['plan --ip 10.0.0.9 --prefix', 3, /prefix/],
  ])('C1, C2: tsha %s: %i', async (call, code, words) => {
    const answer = await tsha(call.split(' ').filter(Boolean));
    expect(answer.stdout + answer.stderr).toMatch(words);
    expect(answer.code).toBe(code);
    expect(code === 0 ? answer.stderr : answer.stdout).toBe('');
  });

  // On a machine without a cluster, whose tools say so or are not there.
  test.each([
    ['status'],
    ['status -q'],
    ['check'],
    ['check --what-if a'],
    ['explain'],
    ['switch -y'],
    ['maintenance on a -y'],
  ])('tsha %s without a cluster: 3, and why', async (call) => {
    const answer = await tsha(call.split(' '));
    expect(answer.code).toBe(3);
    expect(answer.stdout + answer.stderr).toMatch(/cluster|cibadmin|crm_mon|UNKNOWN|look at/);
    expect(answer.stderr).not.toMatch(/ {4}at /);
  });

  test.each([['status'], ['check'], ['split-brain'], ['explain']])(
    'tsha %s --json is what the schema says',
    async (call) => {
      const { stdout } = await tsha([call, '--json']);
      const shown: unknown = JSON.parse(stdout);
      expect(envelopeShape.parse(shown)).toEqual(shown);
    },
  );

  test('what steers the runtime is no business of the command', async () => {
    const env = { NODE_OPTIONS: '--bogus', BUN_BE_BUN: '1' };
    expect(await tsha(['--help'], env)).toMatchObject({ code: 0, stdout: expect.stringMatching(/tsha/) });
  });

  test('a reader that leaves early is no error', async () => {
    const command = `${agentOf(flavour, commandName)} plan --ip 10.0.0.9 | :; printf %s "\${PIPESTATUS[0]}"`;
    expect(await run(['bash', '-c', command], path)).toMatchObject({ stdout: '0', stderr: '' });
  });

  test('who watches stops when nobody reads any more', async () => {
    const command = `${agentOf(flavour, commandName)} status -w=1 | :; printf %s "\${PIPESTATUS[0]}"`;
    expect(await run(['bash', '-c', command], path)).toMatchObject({ stdout: '3', stderr: '' });
  });
});
