import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { compiler } from '../../build/native.ts';
import { nodeSys } from '../../lib/host/node-sys.ts';
import type { Command, Output } from '../../lib/host/sys.ts';

// Commands that are run to their end, with real processes.

const dir = mkdtempSync(join(tmpdir(), 'tsha-commands-'));
const notExecutable = join(dir, 'not-executable');
writeFileSync(notExecutable, '#!/bin/sh\n', { mode: 0o644 });
const badInterpreter = join(dir, 'bad-interpreter');
writeFileSync(badInterpreter, '#!/no/such/shell\n', { mode: 0o755 });
const hugeArgument = 'x'.repeat(300_000); // more than MAX_ARG_STRLEN, 128 KiB

const sh = (script: string) => ['sh', '-c', script] as const;
const env = { PATH: process.env['PATH'], NODE_OPTIONS: '--no-such-option', LANG: 'zh_CN.UTF-8', KEPT: 'yes' };

type Row = readonly [situation: string, command: Partial<Command>, output: Partial<Output>];

const rows: readonly Row[] = [
  ['ends well', { argv: ['true'] }, { code: 0, stdout: '', stderr: '' }],
  ['fails', { argv: sh('echo out; echo bad >&2; exit 5') }, { code: 5, stdout: 'out\n', stderr: 'bad\n' }],
  ['is ended by a signal', { argv: sh('kill -TERM $$') }, { code: 143 }],
  ['does not exist', { argv: ['no-such-command'] }, { code: 127, missing: true }],
  ['does not exist, by its path', { argv: ['/no/such/command'] }, { code: 127, missing: true }],
  ['has no interpreter', { argv: [badInterpreter] }, { code: 127, missing: true }],
  [
    'may not be executed',
    { argv: [notExecutable] },
    { code: 126, stderr: `cannot run ${notExecutable}: EACCES` },
  ],
  [
    'gets too long an argument',
    { argv: ['true', hugeArgument] },
    { code: 126, stderr: 'cannot run true: E2BIG' },
  ],
  ['reads its input', { argv: ['cat'], input: 'text ü' }, { code: 0, stdout: 'text ü' }],
  ['has no input', { argv: ['cat'] }, { code: 0, stdout: '' }],
  ['does not read all of its input', { argv: ['true'], input: 'x'.repeat(1_000_000) }, { code: 0 }],
  [
    'has its output ignored',
    { argv: sh('echo out; echo bad >&2'), output: 'ignore' },
    { code: 0, stdout: '', stderr: '' },
  ],
  ['leaves a daemon behind', { argv: sh('sleep 5 & exit 3'), output: 'ignore' }, { code: 3 }],
  [
    'prints characters in halves',
    { argv: sh(`printf '\\303'; sleep 0.2; printf '\\274'`) },
    { code: 0, stdout: 'ü' },
  ],
  ['prints without end', { argv: ['yes'] }, { code: 137 }],
  ['works in /', { argv: ['pwd'] }, { code: 0, stdout: '/\n' }],
  [
    'gets an environment without switches of the runtime and locales',
    { argv: sh('echo "$NODE_OPTIONS,$LANG,$LC_ALL,$KEPT,$MORE"'), env: { MORE: 'more' } },
    { code: 0, stdout: ',,C,yes,more\n' },
  ],
];

const run: Readonly<Record<'Node' | 'Bun', (command: Command) => Promise<Output>>> = {
  Node: (command) => nodeSys(env).run(command),
  async Bun(command) {
    const program = join(import.meta.dirname, 'command-in-bun.ts');
    const { stdout } = await execa(compiler(), ['run', program], { input: JSON.stringify({ env, command }) });
    return JSON.parse(stdout);
  },
};

describe.each(['Node', 'Bun'] as const)('in %s', (runtime) => {
  test.each(rows)('a command that %s', async (_, command, output) => {
    const ran = await run[runtime]({ argv: ['true'], timeoutMs: 10_000, ...command });
    expect(ran).toMatchObject(output);
    expect(ran.hung).toBeUndefined();
  });
});

const alive = (pid: string) => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

test('one that takes too long is killed with all its descendants, and told by what it was doing', async () => {
  const pids = join(dir, 'pids');
  const argv = sh(`sleep 60 & echo $$ $! >${pids}; wait`);
  const ran = await nodeSys(env).run({ argv, timeoutMs: 500 });
  expect(ran.code).toBe(124);
  expect(ran.hung).toMatch(/^pid \d+ in state S.* after \d\.\d s$/);
  const [parent = '', child = ''] = readFileSync(pids, 'utf8').trim().split(' ');
  for (let tries = 0; (alive(parent) || alive(child)) && tries < 50; tries++) await sleep(20);
  expect({ parent: alive(parent), child: alive(child) }).toEqual({ parent: false, child: false });
});

test('one is named as long as it runs', async () => {
  const sys = nodeSys(env);
  const end = sys.run({ argv: ['sleep', '60'], timeoutMs: 20_000 });
  for (let tries = 0; sys.underway().length === 0 && tries < 50; tries++) await sleep(20);
  expect(sys.underway()).toMatchObject([{ argv: ['sleep', '60'] }]);
  sys.killUnderway();
  expect(await end).toMatchObject({ code: 137 });
  expect(sys.underway()).toEqual([]);
});
