import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { agents, validParams } from './agents.ts';
import { type Answer, agentOf, call, callAlone, cluster, dummyOf, type Env, run, sandbox } from './call.ts';
import { flavours } from './flavours.ts';

// ocf-contract cases 64-87 and the traps of the runtimes: never 0, 7, 8 or 9 by accident.

const trickedBy = (mischief: string): Env => ({ OCF_RESKEY_mischief: mischief });

const fullOutput = join(import.meta.dirname, 'full-output.pl');

/** One line, and what Pacemaker up to 3.0.1 passes on of it. */
function expectOneReason({ stderr, reason = '' }: Answer): void {
  expect(stderr.match(/ocf-exit-reason:/g)).toHaveLength(1);
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(`ocf-exit-reason:${reason}`);
  expect(reason).not.toBe('');
  expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(128);
  expect(reason).not.toMatch(/[&\0\r\n]/);
}

/** Processes whose environment carries this mark: what an agent left behind. */
function processesWith(mark: string): readonly { readonly pid: number; readonly line: string }[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const marked = readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
        const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
        return marked ? [{ pid: Number(pid), line }] : [];
      } catch {
        return [];
      }
    });
}
const leftBehind = (mark: string): readonly string[] => processesWith(mark).map(({ line }) => line);

async function until(done: () => boolean, withinMs = 200_000): Promise<void> {
  for (const end = Date.now() + withinMs; !done(); await sleep(20))
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${done}`);
}

describe.each(flavours)('%s: attacks', (flavour) => {
  const dummy = () => dummyOf(flavour);

  test.each([
    ['throw', /thrown on purpose \+ with odd characters/],
    ['throw-nothing', /unexpected: undefined/],
    ['throw-later', /thrown from a timer/],
    ['throw-odd', /unexpected: .+/],
    ['reject', /rejected on purpose/],
    ['reject-odd', /unexpected: .+/],
    ['never', /ended without a result/],
    ['flood', /^ü+\.\.\.$/],
  ])('%s: 1 and one reason', async (mischief, reason) => {
    for (const action of ['start', 'monitor']) {
      const answer = await call(dummy(), action, trickedBy(mischief));
      expect(answer.code).toBe(1);
      expect(answer.reason).toMatch(reason);
      expectOneReason(answer);
    }
  });

  test('another prefix for the reason', async () => {
    const { stderr } = await call(dummy(), 'no_cmd', { OCF_EXIT_REASON_PREFIX: 'xyz:' });
    expect(stderr).toMatch(/^xyz:no_cmd: action not supported/);
  });

  test.each(agents)('%s: every refusal has one reason', async (name) => {
    const env = { ...validParams[name], OCF_TESTER_FAIL_HAVE_BINARY: '1' };
    for (const action of ['no_cmd', 'start']) {
      const answer = await callAlone(agentOf(flavour, name), action, env);
      expect(answer.code).not.toBe(0);
      expectOneReason(answer);
    }
  });

  test.each([
    ['throw', 1],
    ['none', 7],
  ])('closed or broken output (%s: %i)', async (mischief, code) => {
    const dir = sandbox();
    for (const how of ['<&-', '>&-', '2>&-', '>&- 2>&-', '<&- >&- 2>&-', '>/dev/full 2>/dev/full']) {
      const shell = ['sh', '-c', `"$@" ${how}`, 'sh', dummy(), 'monitor'];
      expect((await run(shell, { ...cluster(dir), ...trickedBy(mischief) })).code, how).toBe(code);
    }
  });

  test('nobody reads the pipes', async () => {
    const env = { ...cluster(sandbox()) };
    const child = spawn(dummy(), ['usage'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    child.stderr.destroy();
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(0);
  });

  test.each([
    ['pipe', 'throw', 1],
    ['pipe', 'none', 7],
    ['socket', 'throw', 1],
    ['socket', 'none', 7],
  ])('S18: nobody reads the %s, which is full (%s: %i)', async (kind, mischief, code) => {
    // whoever waits for a reader waits longer than this test may take
    const env = { ...cluster(sandbox()), ...trickedBy(mischief), OCF_RESKEY_CRM_meta_timeout: '3600000' };
    for (const fd of ['2', '1 2'])
      expect((await run(['perl', fullOutput, kind, fd, dummy(), 'monitor'], env)).code, fd).toBe(code);
    expect((await run(['perl', fullOutput, kind, '1', dummy(), 'usage'], env)).code).toBe(0);
    expect((await run(['perl', fullOutput, kind, '2', dummy(), ''], env)).code).toBe(3);
  });

  test.each(['pipe', 'socket'])('S18: a trace that goes to a %s that is full', async (kind) => {
    const trace = { OCF_RESKEY_trace_ra: '1', OCF_RESKEY_trace_file: '5' };
    const env = { ...cluster(sandbox()), ...trace, OCF_RESKEY_CRM_meta_timeout: '3600000' };
    expect((await run(['perl', fullOutput, kind, '5', dummy(), 'start'], env)).code).toBe(0);
  });

  test('a slow reader gets the whole document', async () => {
    const { stdout } = await run(['sh', '-c', '"$@" | { sleep 1; cat; }', 'sh', dummy(), 'meta-data']);
    expect(stdout).toBe((await run([dummy(), 'meta-data'])).stdout);
    expect(stdout.trimEnd().endsWith('</resource-agent>')).toBe(true);
  });

  describe('what steers the runtime from outside', () => {
    test.each<[string, Env]>([
      ['NODE_OPTIONS=--bogus', { NODE_OPTIONS: '--bogus' }],
      ['NODE_OPTIONS=--require', { NODE_OPTIONS: '--require /nope.js' }],
      ['NODE_EXTRA_CA_CERTS', { NODE_EXTRA_CA_CERTS: '/nope' }],
      ['NODE_PATH, NODE_ENV, NODE_DEBUG', { NODE_PATH: '/nope', NODE_ENV: 'x', NODE_DEBUG: 'fs,module' }],
      ['NODE_CHANNEL_FD', { NODE_CHANNEL_FD: '5' }],
      ['NODE_V8_COVERAGE', { NODE_V8_COVERAGE: '/proc/nope' }],
      ['others of Node', { NODE_PENDING_DEPRECATION: '1', NODE_REDIRECT_WARNINGS: '/proc/nope' }],
      ['NODE_ICU_DATA', { NODE_ICU_DATA: '/nope' }],
      ['BUN_BE_BUN', { BUN_BE_BUN: '1' }],
      ['BUN_OPTIONS', { BUN_OPTIONS: '--preload /nope.js' }],
      ['BUN_INSPECT', { BUN_INSPECT: 'ws://127.0.0.1:1/x?break=1' }],
      ['BUN_JSC', { BUN_JSC_useJIT: 'garbage', BUN_JSC_dumpOptions: '3' }],
      ['several lines', { NODE_OPTIONS: '--bogus\nexport NODE_x y=1', BUN_BE_BUN: "1'\n" }],
      [
        'a locale that does not exist',
        { LC_ALL: 'a'.repeat(200), LANG: '/tmp/with blank', LC_MESSAGES: '\u00ff' },
      ],
      ['a zone that is no zone', { TZ: '/proc/self/mem' }],
      ['a zone that is a directory', { TZ: ':/tmp' }],
      ['OPENSSL_CONF', { OPENSSL_CONF: '/proc/self/cmdline' }],
    ])('%s changes nothing', async (_what, env) => {
      const dir = sandbox();
      const reason = 'Dummy is not running';
      expect(await call(dummy(), 'monitor', env, dir)).toMatchObject({ code: 7, stdout: '', reason });
      expect(await call(dummy(), 'start', env, dir)).toMatchObject({ code: 0, stdout: '', stderr: '' });
      expect(await call(dummy(), 'monitor', env, dir)).toMatchObject({ code: 0, stdout: '', stderr: '' });
      expect(await call(dummy(), 'no_cmd', env, dir)).toMatchObject({ code: 3, stdout: '' });
    });

    test.each(['', ':'])('a time zone that is a FIFO (TZ=%s…) holds nobody up', async (colon) => {
      const dir = sandbox();
      await run(['mkfifo', join(dir, 'zone')], { PATH: '/usr/bin:/bin' });
      const env = { TZ: `${colon}${join(dir, 'zone')}`, OCF_RESKEY_CRM_meta_timeout: '20000' };
      // a warning has a time, which is local
      const answer = await call(dummy(), 'start', { ...env, OCF_RESKEY_eager: 'perhaps' }, dir);
      expect(answer.code).toBe(6);
      expect(await call(dummy(), 'stop', { ...env, OCF_RESKEY_eager: 'perhaps' }, dir)).toMatchObject({
        code: 0,
      });
    });

    test('what a shell would run first reaches no command', async () => {
      const dir = sandbox();
      writeFileSync(join(dir, 'evil.sh'), `echo > ${dir}/obeyed`);
      const env = { BASH_ENV: join(dir, 'evil.sh'), ENV: join(dir, 'evil.sh'), OCF_RESKEY_mischief: 'shell' };
      expect(await call(dummy(), 'monitor', env, dir)).toMatchObject({ code: 7 });
      expect(readdirSync(dir)).not.toContain('obeyed');
    });

    test('files of the working directory are not obeyed', async () => {
      const dir = sandbox();
      const evil = `require('node:fs').writeFileSync('${dir}/obeyed', ''); process.exit(0);`;
      const files = {
        'evil.js': evil,
        'bunfig.toml': `preload = ["${dir}/evil.js"]\n`,
        '.env': 'OCF_RESKEY_mischief=throw\nNODE_OPTIONS=--bogus\n',
        'package.json': '{ "type": "module", "main": "evil.js" }',
        'tsconfig.json': '{ "extends": "/nope" }',
        'node_modules/execa/index.js': evil,
      };
      mkdirSync(join(dir, 'node_modules/execa'), { recursive: true });
      for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
      const answer = await run([dummy(), 'monitor'], cluster(dir), { cwd: dir });
      expect(answer).toMatchObject({ code: 7, reason: 'Dummy is not running' });
      expect(await run([dummy(), 'start'], cluster(dir), { cwd: dir })).toMatchObject({
        code: 0,
        stderr: '',
      });
      expect(readdirSync(dir)).not.toContain('obeyed');
    });

    test('a working directory that was deleted', async () => {
      const shell = 'd=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$@"';
      const answer = await run(['sh', '-c', shell, 'sh', dummy(), 'monitor'], cluster(sandbox()));
      expect(answer).toMatchObject({ code: 7, reason: 'Dummy is not running' });
    });
  });

  describe('time', () => {
    test('a command that hangs: the reason names it, and it is gone', async () => {
      const mark = `MARK_${flavour}_hang`;
      const env = { ...trickedBy('hang'), OCF_RESKEY_CRM_meta_timeout: '4000', [mark]: '1' };
      const answer = await call(dummy(), 'start', env);
      expect(answer.code).toBe(1);
      expect(answer.reason).toMatch(/"sleep 3600".*pid \d+ in state S/);
      expectOneReason(answer);
      await until(() => leftBehind(mark).length === 0); // who was killed needs a processor to die
    });

    test.each(['', '0', 'garbage', '-5', '99999999999999999999'])(
      'a timeout of "%s" is no accident',
      async (timeout) => {
        const env = { OCF_RESKEY_CRM_meta_timeout: timeout };
        const dir = sandbox();
        expect(await call(dummy(), 'start', env, dir)).toMatchObject({ code: 0, stderr: '' });
        expect(await call(dummy(), 'monitor', env, dir)).toMatchObject({ code: 0 });
      },
    );

    test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s in the middle of start', async (signal) => {
      const dir = sandbox();
      const mark = `MARK_${flavour}_${signal}`;
      const env = { ...cluster(dir), ...trickedBy('stubborn'), [mark]: '1' };
      const child = spawn(dummy(), ['start'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
      let stderr = '';
      child.stderr.on('data', (data) => {
        stderr += data;
      });
      await until(() => leftBehind(mark).some((line) => line.startsWith('sleep')));
      child.kill(signal);
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
      expect(stderr).toMatch(`ocf-exit-reason:start was ended by ${signal}, still running: "sh -c`);
      await until(() => leftBehind(mark).length === 0);
      expect((await call(dummy(), 'monitor', {}, dir)).code).toBe(7);
    });

    test('SIGKILL in the middle of start: the next calls are not confused', async () => {
      const dir = sandbox();
      const mark = `MARK_${flavour}_kill`;
      const env = { ...cluster(dir), ...trickedBy('hang'), [mark]: '1' };
      const child = spawn(dummy(), ['start'], { env, stdio: 'ignore', detached: true });
      await until(() => leftBehind(mark).some((line) => line.startsWith('sleep')));
      process.kill(-(child.pid ?? 0), 'SIGKILL'); // the whole group, as Pacemaker does
      await until(() => leftBehind(mark).length === 0);
      expect((await call(dummy(), 'monitor', {}, dir)).code).toBe(7);
      expect((await call(dummy(), 'start', {}, dir)).code).toBe(0);
      expect((await call(dummy(), 'stop', {}, dir)).code).toBe(0);
    });

    test('a process that outlives the agent keeps nobody waiting', async () => {
      const mark = `MARK_${flavour}_daemon`;
      const env = { ...cluster(sandbox()), ...trickedBy('daemon'), [mark]: '1' };
      const shell = ['sh', '-c', 'x=$("$@" 2>&1); echo "$? $x"', 'sh', dummy(), 'start'];
      const { code, stdout } = await run(shell, env);
      expect([code, stdout]).toEqual([0, '0 \n']);
      const daemons = processesWith(mark); // it runs on: nobody has waited for its end
      for (const { pid } of daemons) process.kill(pid);
      expect(daemons.map(({ line }) => line)).toEqual(['sleep 300 ']);
    });
  });

  describe('cost', () => {
    test('a steady monitor starts no process beyond its own', async () => {
      const dir = sandbox();
      await call(dummy(), 'start', {}, dir);
      const trace = join(dir, 'trace');
      const traced = ['strace', '-f', '-qq', '-z', '-e', 'trace=execve', '-o', trace, dummy(), 'monitor'];
      expect((await run(traced, cluster(dir))).code).toBe(0);
      // The launcher, and the runtime it turns into (Node is asked for its version when its path is not fixed).
      const executed = readFileSync(trace, 'utf8').match(/execve\("[^"]+"/g) ?? [];
      expect(executed.length).toBeLessThanOrEqual(flavour === 'native' ? 2 : 3);
    });

    test('a monitor takes at most three times the CPU of a runtime that does nothing', async () => {
      const dir = sandbox();
      await call(dummy(), 'start', {}, dir);
      const spent = async (...argv: readonly string[]) => {
        const { stdout } = await run(['bash', '-c', '"$@"; times', 'bash', ...argv], cluster(dir));
        const [user = 0, system = 0] = [...(stdout.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
          ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
        );
        return user + system;
      };
      // by turns, so that whatever else the machine does slows both
      const [idle, monitor] = [[], []] as [number[], number[]];
      for (let turn = 0; turn < 5; turn++) {
        idle.push(await spent(process.execPath, '-e', '0'));
        monitor.push(await spent(dummy(), 'monitor'));
      }
      const least = Math.min(...monitor);
      expect(least).toBeGreaterThan(0);
      expect(least).toBeLessThan(3 * Math.max(...idle));
    });
  });

  test('drbd: notify never fails', async () => {
    const names = ['type', 'operation', 'start_resource', 'promoted_resource', 'master_resource'];
    const empty = Object.fromEntries(names.map((name) => [`OCF_RESKEY_CRM_meta_notify_${name}`, '']));
    for (const env of [{}, validParams.drbd, { ...validParams.drbd, ...empty }]) {
      const answer = await callAlone(agentOf(flavour, 'drbd'), 'notify', env);
      expect(answer.code).toBe(0);
    }
  });
});
