import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nativeProgram } from '../../packaging/launcher.ts';
import { agents, validParams } from './agents.ts';
import { agentOf, cluster, dummyLife, dummyOf, type Env, rootOf, run, sandbox } from './call.ts';
import { flavours } from './flavours.ts';

// S17: the limits of a machine are no statement about a resource. 2 and 5 would ban it from the node, an end without a word
// helps nobody.

const actions = ['start', 'monitor', 'validate-all', 'stop', 'no_cmd'] as const;

/** A user of nobody else: RLIMIT_NPROC counts everything that a user runs. */
const users = { next: 70_000 };
const asUser = (nproc: number, dir: string, ...argv: readonly string[]) => {
  const uid = users.next++;
  chmodSync(dir, 0o777);
  const ids = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  return run(['prlimit', `--nproc=${nproc}`, 'setpriv', ...ids, ...argv], cluster(dir));
};

const limited = (limits: readonly string[], argv: readonly string[], env: Env = cluster(sandbox())) =>
  run(['prlimit', '--core=0', ...limits.map((limit) => `--${limit}`), ...argv], env);

describe.each(flavours)('S17: %s', (flavour) => {
  const dummy = () => dummyOf(flavour);

  test.each(actions)('no more than one process: %s 1, and the reason', async (action) => {
    const answer = await asUser(1, sandbox(), dummy(), action);
    expect(answer).toMatchObject({ code: 1, reason: 'no process can be started' });
  });

  test('no more than two processes: Node does not wait for a thread that it cannot have; Bun needs none', async () => {
    const answer = await asUser(2, sandbox(), dummy(), 'monitor');
    if (flavour === 'script') expect(answer).toMatchObject({ code: 1, reason: 'no process can be started' });
    else expect(answer).toMatchObject({ code: 7, reason: 'Dummy is not running' });
  });

  test.each([3, 4, 5, 6, 7, 8, 12])('no more than %i processes: a monitor of files', async (nproc) => {
    const { code, reason } = await asUser(nproc, sandbox(), dummy(), 'monitor');
    expect([code, reason]).toEqual(
      code === 7 ? [7, 'Dummy is not running'] : [1, 'no process can be started'],
    );
    if (nproc > 4) expect(code).toBe(7);
  });

  test.each([3, 4, 5, 6, 7, 8, 12])(
    'no more than %i processes: a start that writes a setting of the kernel',
    async (nproc) => {
      const mischief = ['env', 'OCF_RESKEY_mischief=poke'];
      const { code, reason } = await asUser(nproc, sandbox(), ...mischief, dummy(), 'monitor');
      expect([1, 7]).toContain(code);
      expect(reason).toMatch(
        /^(Dummy is not running|no process can be started|.* ended with 134 under the limits)/,
      );
    },
  );

  test.each([1, 2, 3, 4, 5])(
    'no more than %i processes, and another limit for which the shell stays',
    async (nproc) => {
      const limit = ['prlimit', '--nofile=64', dummy(), 'monitor'];
      const { code, reason } = await asUser(nproc, sandbox(), ...limit);
      expect([code, reason]).toEqual(
        code === 7 ? [7, 'Dummy is not running'] : [1, 'no process can be started'],
      );
      if (nproc < 2) expect(code).toBe(1);
      if (nproc > 4) expect(code).toBe(7);
    },
  );

  test.each([3, 6])('no more than %i processes: a command that hangs', async (nproc) => {
    const mischief = ['env', 'OCF_RESKEY_mischief=hang', 'OCF_RESKEY_CRM_meta_timeout=3000'];
    const answer = await asUser(nproc, sandbox(), ...mischief, dummy(), 'monitor');
    expect(answer.code).toBe(1);
    expect(answer.reason).toMatch(
      /^(sleep 3600: cannot run sleep: EAGAIN|"sleep 3600" did not end|no process can be started)/,
    );
  });

  test.each([
    ['as=3000000', /^2929 kB of address space \(ulimit -v\) are not enough/],
    ['as=100000000', /^97656 kB of address space \(ulimit -v\) are not enough/],
    ['as=300000000', /ended with 13\d under the limits of this process/],
    ['data=1000000', /^976 kB of data \(ulimit -d\) are not enough/],
    ['data=14000000', /^13671 kB of data \(ulimit -d\) are not enough/], // Node would wait for ever
    ['stack=65536', /^64 kB of stack \(ulimit -s\) are not enough/],
    ['nofile=16', /^16 descriptors \(ulimit -n\) are not enough/],
  ])('%s: 1, and the reason', async (limit, reason) => {
    for (const action of actions) {
      const answer = await limited([limit], [dummy(), action]);
      expect(answer).toMatchObject({ code: 1, stdout: '' });
      expect(answer.reason).toMatch(reason);
    }
  });

  test.each([
    [['as=4000000000']],
    [['data=600000000']],
    [['stack=512000']],
    [['nofile=40']],
    [['fsize=100000']],
    [['cpu=60']],
    [['as=8000000000', 'nofile=64', 'stack=1000000', 'data=1000000000']],
  ])('%j are enough: an agent answers for itself', async (limits) => {
    const env = cluster(sandbox());
    for (const [action, code] of dummyLife)
      expect((await limited(limits, [dummy(), action], env)).code, action).toBe(code);
  });

  test('under a limit a signal to the group is answered as ever', async () => {
    const dir = sandbox();
    const env = { ...cluster(dir), OCF_RESKEY_mischief: 'touch-and-hang' };
    const child = spawn('prlimit', ['--as=8000000000', dummy(), 'start'], {
      env,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    const isUnderway = () => {
      try {
        return statSync(join(dir, 'state')).isFile();
      } catch {
        return false;
      }
    };
    while (!isUnderway()) await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
    expect(stderr).toMatch(/^ocf-exit-reason:(start was ended by SIGTERM|sleep 3600: exit 143)/m);
  });

  test.each(agents)('%s, as it is installed: 1, and the reason', async (name) => {
    const installed = join(rootOf(flavour), 'usr/lib/ocf/resource.d/tsha', name);
    const env = { ...cluster(sandbox()), ...validParams[name] };
    for (const file of [installed, agentOf(flavour, name)])
      for (const action of ['start', 'stop']) {
        const answer = await limited(['as=50000000'], [file, action], env);
        expect(answer.code).toBe(1);
        expect(answer.reason).toMatch(/address space \(ulimit -v\) are not enough/);
      }
  });

  test('meta-data needs none of it', async () => {
    const dir = sandbox();
    expect(await asUser(1, dir, dummy(), 'meta-data')).toMatchObject({ code: 0, stderr: '' });
    expect(await limited(['as=3000000', 'nofile=16'], [dummy(), 'meta-data'])).toMatchObject({ code: 0 });
  });
});

test('S17: a shell that is bash tries for 15 s, and then says the same', async () => {
  const answer = await asUser(1, sandbox(), 'bash', '--posix', dummyOf('script'), 'monitor');
  expect(answer).toMatchObject({ code: 1, reason: 'no process can be started' });
});

describe('S17: a program that cannot become what it should', () => {
  /** The launcher of the native Dummy beside a program that is none. */
  function beside(content: Buffer): string {
    const dir = join(sandbox(), 'bin');
    mkdirSync(dir);
    copyFileSync(dummyOf('native'), join(dir, 'Dummy'));
    writeFileSync(join(dir, nativeProgram), content, { mode: 0o755 });
    return join(dir, 'Dummy');
  }

  test.each([
    ['empty, as after a crash', Buffer.alloc(0), /is empty$/],
    ['zeros, as after a crash', Buffer.alloc(8192), /cannot be run$/],
    ['for another machine', Buffer.from('\x7fELF\x02\x01\x01'.padEnd(128, '\0')), /cannot be run$/],
  ])('%s: 1, and the reason', async (_what, content, reason) => {
    for (const action of actions) {
      const answer = await run([beside(content), action], cluster(sandbox()));
      expect(answer.code).toBe(1);
      expect(answer.reason).toMatch(reason);
    }
  });

  test('a Node that a signal ends is not "not installed"', async () => {
    const dir = sandbox();
    writeFileSync(join(dir, 'node'), '#!/bin/sh\nkill -SEGV $$\n', { mode: 0o755 });
    const env = { ...cluster(dir), PATH: `${dir}:/usr/bin:/bin` };
    for (const action of actions) {
      const answer = await run([dummyOf('script'), action], env);
      expect(answer.code).toBe(1);
      expect(answer.reason).toBe(`${dir}/node does not tell its version`);
    }
  });
});
