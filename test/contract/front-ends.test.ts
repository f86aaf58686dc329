import { mkdirSync, writeFileSync } from 'node:fs';
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
    const dir = sandbox();
    const cib = join(dir, 'cib.xml');
    const { stdout } = await tool(flavour, ['cibadmin', '--empty']);
    writeFileSync(cib, stdout);
    const given = options(name).map(([key, value]) => `${key}=${value}`);
    const created = await tool(flavour, [
      'pcs',
      '-f',
      cib,
      'resource',
      'create',
      'x',
      agent,
      ...given,
      '--agent-validation',
    ]);
    expect(created).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('crm ra info', async () => {
    const shown = await tool(flavour, ['crm', 'ra', 'info', agent]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain(`(${agent})`);
    for (const [key] of options(name)) expect(shown.stdout).toContain(key);
  });
});

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
