import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AgentName, agents, validParams } from './agents.ts';
import { dummyOf, type Env, rootOf, run, sandbox } from './call.ts';
import { type Flavour, flavours } from './flavours.ts';

// ocf-contract case 93: the tools that people meet the agents through. They look only in /usr/lib/ocf, so each call has a mount
// namespace of its own in which the tree that `build.sh install --root` laid is there.

const enter = `
  mount --bind "$1/usr/lib/ocf" /usr/lib/ocf
  mount -t tmpfs tmpfs /var/log
  mkdir /var/log/crmsh
  mount -t tmpfs tmpfs /root
  shift
  exec "$@"`;

function tool(flavour: Flavour, argv: readonly string[], env: Env = {}) {
  const inNamespace = ['unshare', '-m', 'sh', '-ec', enter, 'sh', rootOf(flavour), ...argv];
  return run(inNamespace, { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', TERM: 'dumb', ...env });
}

const options = (name: AgentName): readonly (readonly [string, string])[] =>
  Object.entries(validParams[name]).map(([key, value]) => [key.replace('OCF_RESKEY_', ''), value ?? '']);

async function emptyCib(flavour: Flavour): Promise<string> {
  const cib = join(sandbox(), 'cib.xml');
  const { stdout } = await tool(flavour, ['cibadmin', '--empty']);
  writeFileSync(cib, stdout);
  return cib;
}

const create = (
  flavour: Flavour,
  cib: string,
  id: string,
  name: AgentName,
  given: readonly (readonly [string, string])[],
  ...more: string[]
) => {
  const words = given.map(([key, value]) => `${key}=${value}`);
  return tool(flavour, ['pcs', '-f', cib, 'resource', 'create', id, `ocf:tsha:${name}`, ...words, ...more]);
};

/** Check levels that `crm ra info` shows, and no front end makes an operation of. */
const depths: { readonly [name in AgentName]?: readonly number[] } = { Filesystem: [10, 20] };
const depthLine = (depth: number) => new RegExp(`^ +status +timeout=\\d+s depth=${depth}$`, 'm');

const cases = flavours.flatMap((flavour) => agents.map((name) => [flavour, name] as const));

describe.each(cases)('%s %s', (flavour, name) => {
  const agent = `ocf:tsha:${name}`;

  test('crm_resource --show-metadata', async () => {
    const shown = await tool(flavour, ['crm_resource', '--show-metadata', agent]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain(`<resource-agent name="${name}"`);
  });

  test('crm_resource --validate', async () => {
    const given = options(name).flatMap(([key, value]) => ['--option', `${key}=${value}`]);
    const asked = ['--class', 'ocf', '--provider', 'tsha', '--agent', name];
    const answer = await tool(flavour, ['crm_resource', '--validate', ...asked, ...given]);
    expect(answer).toMatchObject({ code: 0, stderr: '' });
    expect(answer.stdout).toMatch(/returned 0|returned: 'ok' \(0\)/);
  });

  test('pcs resource describe', async () => {
    const shown = await tool(flavour, ['pcs', 'resource', 'describe', agent, '--full']);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(new RegExp(`^${agent} - `));
    expect(shown.stdout).toContain('trace_ra');
  });

  test('pcs resource create --agent-validation', async () => {
    const cib = await emptyCib(flavour);
    const created = await create(flavour, cib, 'x', name, options(name), '--agent-validation');
    expect(created).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const stored = readFileSync(cib, 'utf8');
    expect(stored).toMatch(/<op [^>]*name="monitor"/);
    expect(stored, 'a check level that nobody asked for').not.toMatch(/name="(status|OCF_CHECK_LEVEL)"/);
  });

  test('crm ra info', async () => {
    const shown = await tool(flavour, ['crm', 'ra', 'info', agent]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain(`(${agent})`);
    for (const [key] of options(name)) expect(shown.stdout).toContain(key);
    for (const depth of depths[name] ?? []) expect(shown.stdout).toMatch(depthLine(depth));
  });
});

test.each([
  ['Filesystem', 'directory', '/run/contract-elsewhere'],
  ['exportfs', 'clientspec', '198.51.100.0/24'],
] as const)(
  'pcs tells a second %s that differs in its %s from a copy of the first',
  async (name, key, value) => {
    const cib = await emptyCib('native');
    const given = options(name);
    const other = given.map(([k, v]) => [k, k === key ? value : v] as const);
    expect((await create('native', cib, 'first', name, given)).code).toBe(0);
    expect((await create('native', cib, 'second', name, other)).code).toBe(0);
    expect(await create('native', cib, 'copy', name, given)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/group '\w+'\) is not unique .*'first', use --force/),
    });
  },
);

test.each(flavours)('%s: Pacemaker lists the agents and nothing else', async (flavour) => {
  const { stdout } = await tool(flavour, ['crm_resource', '--list-agents', 'ocf:tsha']);
  expect(stdout.trim().split(/\s+/).sort()).toEqual([...agents].sort());
});

test.each(flavours)('%s: ocf-tester passes the Dummy', async (flavour) => {
  const dir = sandbox();
  mkdirSync(join(dir, 'memory'));
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HA_RSCTMP: join(dir, 'memory') };
  const tester = ['ocf-tester', '-n', 'x', '-o', `state=${dir}/state`, dummyOf(flavour)];
  const { code, stdout } = await run(tester, env);
  expect(stdout).toContain('passed all tests');
  expect(code).toBe(0);
});
