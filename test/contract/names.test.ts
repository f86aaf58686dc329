import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AgentName, agents, validParams } from './agents.ts';
import { agentOf, call, callAlone, cluster, dummyOf, type Env, run, sandbox } from './call.ts';
import { flavours } from './flavours.ts';

// S20: a resource's name is whatever somebody has written. It names files, and never leads to others.

const names = {
  'the name of our own directory': 'tsha',
  'the directory itself': '.',
  'the one above': '..',
  'a path': 'a/b',
  'a path upwards': '../../../outside',
  'an absolute path': '/outside',
  'what a path is escaped to': 'a%2Fb',
  'very long': 'x'.repeat(3000),
  'long, in characters of several bytes': 'ü'.repeat(120),
  'the directory of another agent': 'nfsnotify_other',
  'a path like a page of another': 'tsha/exportfs-other.json',
  'blanks and quotes': ` '"$(touch outside)\``,
  'two lines': 'a\nocf-exit-reason:b',
  'a name of the runtime': '__proto__',
};

/** Bytes that are no UTF-8 reach a program only by a shell. */
const withBytes = (octal: string, argv: readonly string[]): readonly string[] => [
  'sh',
  '-c',
  `OCF_RESOURCE_INSTANCE=$(printf 'x${octal}'); export OCF_RESOURCE_INSTANCE; exec "$@"`,
  'sh',
  ...argv,
];

/** What other resources remember, and what lies beside. */
const others = [
  'memory/tsha/exportfs-other.json',
  'memory/tsha/waiting-other/kept',
  'memory/other',
  'memory/nfsnotify_other/rpc.statd_other.pid',
  'outside',
  'b',
  'trace/kept',
];

function machine(): string {
  const dir = sandbox();
  for (const path of others) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), `{"of":"${path}"}`);
  }
  return dir;
}

const filesIn = (dir: string): readonly string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true, encoding: 'latin1' })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));

function expectOthersUntouched(dir: string): void {
  for (const path of others) expect(readFileSync(join(dir, path), 'utf8')).toBe(`{"of":"${path}"}`);
  const strange = filesIn(dir).filter((path) => !others.includes(path) && path !== 'state');
  for (const path of strange)
    expect(path).toMatch(/^(memory\/tsha\/[^/]+\.json|memory\/[^/]+|trace\/\w+\/[^/]+)$/);
}

const tracing = (dir: string): Env => ({
  OCF_RESKEY_trace_ra: 'true',
  OCF_RESKEY_trace_dir: join(dir, 'trace'),
});

describe.each(flavours)('S20: %s', (flavour) => {
  const steps = (name: AgentName) => ['start', 'monitor', ...(name === 'drbd' ? ['notify'] : []), 'stop'];

  describe.each(agents)('%s', (agent) => {
    // exportfs has files of the stock agent's names as well
    const some = agent === 'exportfs' ? Object.entries(names) : Object.entries(names).slice(0, 5);
    test.each(some)('%s: nothing of others is touched', async (_what, instance) => {
      const dir = machine();
      const env = { ...validParams[agent], ...tracing(dir), OCF_RESOURCE_INSTANCE: instance };
      for (const action of [...steps(agent), '../../outside']) {
        const { code } = await callAlone(agentOf(flavour, agent), action, env, dir);
        expect([0, 1, 3, 5, 6, 7]).toContain(code);
        expect(action === 'stop' ? code : 0).toBe(0);
        expectOthersUntouched(dir);
      }
    });
  });

  test('the mark of an exportfs is a file, whatever its name is, and goes with it', async () => {
    for (const instance of Object.values(names)) {
      const dir = machine();
      const env = { ...validParams.exportfs, OCF_RESOURCE_INSTANCE: instance };
      const before = filesIn(dir);
      expect((await callAlone(agentOf(flavour, 'exportfs'), 'stop', env, dir)).code).toBe(0);
      expect(filesIn(dir)).toEqual(before);
    }
  });

  test('each instance is remembered for itself', async () => {
    const dir = sandbox();
    const long = 'x'.repeat(3000);
    const plain = [...Object.values(names), `${long}1`, `${long}2`, 'b', '...'];
    const calls = [
      ...plain.map(
        (name) => (argv: readonly string[], env: Env) => run(argv, { ...env, OCF_RESOURCE_INSTANCE: name }),
      ),
      ...['\\377', '\\376', '\\303', '\\303\\274', '%%FF'].map(
        (octal) => (argv: readonly string[], env: Env) => run(withBytes(octal, argv), env),
      ),
    ];
    const of = (n: number): Env => ({ ...cluster(dir), OCF_RESKEY_state: join(dir, `state-${n}`) });
    const all = (action: string, env: (n: number) => Env) =>
      Promise.all(calls.map(async (one, n) => (await one([dummyOf(flavour), action], env(n))).code));
    expect(await all('start', of)).toEqual(calls.map(() => 0));
    expect(await all('monitor', of)).toEqual(calls.map(() => 0));
    // without its parameters each stop ends what its own start has begun
    const forgotten = (n: number): Env => ({ ...of(n), OCF_RESKEY_state: undefined });
    for (const [n, one] of calls.entries()) {
      expect((await one([dummyOf(flavour), 'stop'], forgotten(n))).code).toBe(0);
      expect(filesIn(dir).filter((path) => path.startsWith('state-'))).toHaveLength(calls.length - n - 1);
    }
    expect(filesIn(dir)).toEqual([]);
  });

  test('a name of any length has one line of a reason', async () => {
    for (const instance of Object.values(names)) {
      const { code, stderr } = await call(dummyOf(flavour), 'no_cmd', { OCF_RESOURCE_INSTANCE: instance });
      expect(code).toBe(3);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
  });

  test('a page that is no page of ours disturbs nobody', async () => {
    const dir = machine();
    writeFileSync(join(dir, 'memory/tsha/nfsserver-%zz%.json'), 'x');
    chmodSync(join(dir, 'memory/tsha'), 0o755);
    const answer = await callAlone(agentOf(flavour, 'nfsserver'), 'monitor', validParams.nfsserver, dir);
    expect(answer.code).toBe(7);
  });
});
