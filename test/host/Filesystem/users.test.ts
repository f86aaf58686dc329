import { mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentUnderTest } from '../agent-under-test.ts';
import {
  anHour,
  freshDirectory,
  isAlive,
  isFree,
  openSandbox,
  recurring,
  type Sandbox,
  startedOn,
} from './sandbox.ts';

// Stopping while something uses the filesystem: on real devices, against real processes.

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const started = (type?: 'ext4' | 'xfs' | 'btrfs', more?: { readonly [name: string]: string }) =>
  startedOn(sandbox, type, { meta_timeout: '120000', ...more });

/** A stop that must fail does so after a few seconds, and has as long as it needs to find out why. */
const patient = { meta_timeout: 120_000, fast_stop: 'yes' } as const;

const onlyMapped = (m: string): string =>
  `cp /bin/sleep ${m}/s; exec python3 -c "import mmap,os,time; f=os.open('${m}/s',0); a=mmap.mmap(f,4096,prot=1); os.close(f); print(flush=True); time.sleep(3600)"`;

describe('processes that hold it', () => {
  test.each([
    ['Filesystem#81: a working directory', (m: string) => `cd ${m}; echo; exec sleep 3600`],
    ['Filesystem#87: an open file', (m: string) => `exec 7>${m}/f; echo; exec sleep 3600`],
    [
      'Filesystem#87: an open file that was deleted',
      (m: string) => `exec 7>${m}/f; rm ${m}/f; echo; exec sleep 3600`,
    ],
    ['a program that runs from it', (m: string) => `cp /bin/sleep ${m}/s; echo; exec ${m}/s 3600`],
    ['Filesystem#87: a mapped file only', onlyMapped],
    [
      'a socket bound to a path of it',
      (m: string) =>
        `exec python3 -c "import socket,time; s=socket.socket(1); s.bind('${m}/s'); s.listen(); print(flush=True); time.sleep(3600)"`,
    ],
    ['a loop that starts children', (m: string) => `cd ${m}; echo; while :; do sleep 0.01; done`],
  ])('%s: ended by the first signal, and stop succeeds at once', async (_what, script) => {
    const resource = await started();
    const process = await sandbox.holder(script(resource.directory));
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({ code: 0 });
    expect(answer.stderr).not.toContain('SIGKILL');
    expect(sandbox.isMounted(resource.directory)).toBe(false);
    expect(isAlive(process.pid)).toBe(false);
  });

  test.each([
    ['safe,,nops', 0],
    ['true,move,nomove', 0],
    ['False', 1],
    ['foo', 1],
  ])('Filesystem#92: force_unmount=%s', async (force_unmount, code) => {
    const resource = { ...(await started()), ...(code === 1 ? patient : {}), force_unmount };
    const { pid, end } = await sandbox.holder(`cd ${resource.directory}; echo; exec sleep 3600`);
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code });
    expect(isAlive(pid)).toBe(code === 1);
    await end();
  });

  test.each([
    [
      'Filesystem#82: one that ignores TERM is killed after three seconds, whatever the timeout',
      "''",
      anHour,
      2900,
    ],
    ['one that catches TERM and stays is killed in the second half', ':', 20_000, 5000],
  ])('%s', async (_what, handler, meta_timeout, leastMs) => {
    const resource = { ...(await started()), meta_timeout };
    const process = await sandbox.holder(
      `trap ${handler} TERM; cd ${resource.directory}; echo; while :; do sleep 1; done`,
    );
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({ code: 0, stderr: expect.stringContaining('SIGKILL') });
    expect(answer.ms).toBeGreaterThan(leastMs);
    expect(isAlive(process.pid)).toBe(false);
  });

  test('Filesystem#83: fast_stop shortens that, whatever the timeout', async () => {
    const resource = { ...(await started()), meta_timeout: anHour, fast_stop: 'yes' };
    await sandbox.holder(`trap '' TERM; cd ${resource.directory}; echo; while :; do sleep 1; done`);
    const answer = await sandbox.ours('stop', resource);
    // six seconds may be too few for a busy machine: then it says so, and does not wait for an hour
    if (answer.code === 0) expect(answer.stderr).toContain('SIGKILL');
    else expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining('ocf-exit-reason:') });
  });

  test('where a service waits: KILL in the first half, whatever the timeout', async () => {
    const resource = {
      ...(await started()),
      ...{ meta_timeout: anHour, term_signals: 'TERM KILL', signal_delay: '0.5' },
    };
    const { pid } = await sandbox.holder(
      `trap '' TERM; cd ${resource.directory}; echo; while :; do sleep 1; done`,
    );
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect(isAlive(pid)).toBe(false);
  });

  test('Filesystem#89: signals in their order, then KILL', async () => {
    const resource = {
      ...(await started()),
      meta_timeout: 40_000,
      term_signals: 'HUP INT 15',
      signal_delay: '0.2',
    };
    await sandbox.holder(`trap '' HUP INT TERM; cd ${resource.directory}; echo; while :; do sleep 1; done`);
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({ code: 0 });
    const sent = [...answer.stderr.matchAll(/sent (SIG\w+)/g)].map(([, name]) => name);
    expect(sent.slice(0, 3)).toEqual(['SIGHUP', 'SIGINT', 'SIGTERM']);
    // not at the end: the `sleep` that its loop had just begun is another process
    expect(sent).toContain('SIGKILL');
  });

  test('Filesystem#84, D9: force_unmount=false kills nobody, fails in time, says who it is, and does not spin', async () => {
    const resource = { ...(await started()), ...patient, force_unmount: 'false' };
    const process = await sandbox.holder(`cd ${resource.directory}; echo; exec sleep 3600`);
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({
      code: 1,
      reason: expect.stringContaining(`[${process.pid}] (cwd ${resource.directory})`),
    });
    expect(answer.stderr.split('\n').length).toBeLessThan(10);
    expect(isAlive(process.pid)).toBe(true);
    await process.end();
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  });

  test('Filesystem#90, D11: a busy mount below ours shares the deadline', async () => {
    const resource = { ...(await started()), ...patient, force_unmount: 'false' };
    await sandbox.run('mkdir', `${resource.directory}/sub`);
    await sandbox.run('mount', '-t', 'tmpfs', 'x', `${resource.directory}/sub`);
    const process = await sandbox.holder(`cd ${resource.directory}/sub; echo; exec sleep 3600`);
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining('/sub') });
    await process.end();
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  });

  test('Filesystem#88, D12: the agent itself and its caller survive, even from inside the mount', async () => {
    const resource = { ...(await started()), ...patient };
    const env = Object.entries({ ...resource, CRM_meta_timeout: 120_000, fast_stop: 'yes' }).map(
      ([name, value]) => `OCF_RESKEY_${name}=${value}`,
    );
    const script = `cd ${resource.directory}; env OCF_RESOURCE_INSTANCE=t1 HA_RSCTMP=${sandbox.folder}/memory "$@" node ${await agentUnderTest('Filesystem')} stop 2>/dev/null; echo "code $?"`;
    const out = await sandbox.run('bash', '-c', script, 'bash', ...env);
    expect(out).toBe('code 1');
    expect(sandbox.isMounted(resource.directory)).toBe(true);
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  });

  test('C1, C3: a process below the mount point, opened before the mount, is not ours', async () => {
    const directory = freshDirectory(sandbox);
    mkdirSync(directory);
    const bystander = await sandbox.holder(`exec 7>${directory}/hidden; echo; exec sleep 3600`);
    const resource = { device: await sandbox.disk('ext4'), directory, fstype: 'ext4' };
    await sandbox.ours('start', resource);
    const user = await sandbox.holder(`exec 7>${directory}/f; echo; exec sleep 3600`);
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect([isAlive(bystander.pid), isAlive(user.pid)]).toEqual([true, false]);
  });
});

describe('sockets', () => {
  const python = (script: string) =>
    `exec python3 -c "import os,socket,subprocess,time; s=socket.socket(1); ${script}; s.listen(); print(flush=True); time.sleep(3600)"`;

  test.each([
    ['bound by a name without its directory', (m: string) => `os.chdir('${m}'); s.bind('s'); os.chdir('/')`],
    ['whose path was removed', (m: string) => `s.bind('${m}/s'); os.unlink('${m}/s')`],
    ['whose name has a line break', (m: string) => `s.bind('${m}/s' + chr(10) + 't')`],
  ])('one %s: its process is ended', async (_what, script) => {
    const resource = await started();
    const { pid } = await sandbox.holder(python(script(resource.directory)));
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect(isAlive(pid)).toBe(false);
  });

  test("a container's of the same name, and one bound before the mount: neither is ours, both live", async () => {
    const directory = freshDirectory(sandbox);
    mkdirSync(directory);
    const bystanders = [
      await sandbox.holder(
        `exec unshare -m --propagation private sh -c 'mount -t tmpfs x ${directory} && ${python(`s.bind('${directory}/s')`).replaceAll("'", `'\\''`)}'`,
      ),
      await sandbox.holder(python(`s.bind('${directory}/s')`)),
    ];
    const resource = { device: await sandbox.disk('ext4'), directory, fstype: 'ext4', meta_timeout: 120_000 };
    expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
    const owner = await sandbox.holder(python(`s.bind('${directory}/s')`));
    const user = await sandbox.holder(`cd ${directory}; echo; exec sleep 3600`);
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect([owner, user, ...bystanders].map(({ pid }) => isAlive(pid))).toEqual([false, false, true, true]);
  });
});

describe('copies in other mount namespaces that must go with it', () => {
  /** Below a shared mount, as / is where systemd runs. */
  async function shared(more: { readonly [name: string]: string | number } = {}) {
    const parent = freshDirectory(sandbox);
    mkdirSync(parent);
    await sandbox.run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'x', parent);
    await sandbox.run('mount', '--make-shared', parent);
    const resource = {
      device: 'x',
      directory: `${parent}/m`,
      fstype: 'tmpfs',
      meta_timeout: 120_000,
      ...more,
    };
    expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
    return resource;
  }
  const service = 'exec unshare -m --propagation slave sh -c "mount --make-rshared /;';

  test.each([
    ['a service, which stands there', (m: string) => `${service} cd ${m}; echo; exec sleep 3600"`],
    ['a service with an open file', (m: string) => `${service} exec 7>${m}/f; echo; exec sleep 3600"`],
    [
      'a service that runs a program of it',
      (m: string) => `${service} cp /bin/sleep ${m}/s; echo; exec ${m}/s 3600"`,
    ],
    [
      'a service with a socket',
      (m: string) =>
        `${service} exec python3 -c \\"import socket,time; s=socket.socket(1); s.bind('${m}/s'); print(flush=True); time.sleep(3600)\\""`,
    ],
    [
      'a namespace that was not made private, and what was begun in it since',
      (m: string) =>
        `exec unshare -m --propagation unchanged sh -c "(cd ${m}; exec sleep 3600) & echo; wait"`,
    ],
  ])('%s: ended, and named', async (_what, script) => {
    const resource = await shared();
    const { pid } = await sandbox.holder(script(resource.directory));
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({ code: 0, stderr: expect.stringContaining('in another mount namespace') });
    expect(sandbox.isMounted(resource.directory)).toBe(false);
    if (!_what.startsWith('a namespace')) expect(isAlive(pid)).toBe(false);
  });

  test('force_unmount=false: named, and alive', async () => {
    const resource = await shared({ ...patient, force_unmount: 'false' });
    const process = await sandbox.holder(`${service} cd ${resource.directory}; echo; exec sleep 3600"`);
    expect(await sandbox.ours('stop', resource)).toMatchObject({
      code: 1,
      reason: expect.stringContaining(
        `[${process.pid}] (cwd ${resource.directory} in another mount namespace)`,
      ),
    });
    expect(isAlive(process.pid)).toBe(true);
    await process.end();
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  });

  test('what does not keep it mounted lives: a copy of its own, and one that something is mounted below', async () => {
    const resource = await shared();
    const { directory } = resource;
    const bystanders = [
      await sandbox.holder(
        `exec unshare -m --propagation private sh -c "cd ${directory}; echo; exec sleep 3600"`,
      ),
      await sandbox.holder(
        `${service} mkdir ${directory}/sub; mount -t tmpfs y ${directory}/sub; cd ${directory}; echo; exec sleep 3600"`,
      ),
    ];
    const user = await sandbox.holder(onlyMapped(directory)); // whom only a thorough search finds
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect([user, ...bystanders].map(({ pid }) => isAlive(pid))).toEqual([false, true, true]);
  });
});

describe('users that are no processes are named', () => {
  test('Filesystem#85: a loop device', async () => {
    const resource = { ...(await started()), ...patient };
    await sandbox.run('truncate', '-s', '1M', `${resource.directory}/disk.img`);
    const loop = await sandbox.run('losetup', '-f', '--show', `${resource.directory}/disk.img`);
    const answer = await sandbox.ours('stop', resource);
    await sandbox.run('losetup', '-d', loop);
    expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining(loop.slice(5)) });
    expect(answer.reason).toContain('backing file');
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  });

  test('Filesystem#86: a swap file', async () => {
    const resource = { ...(await started()), ...patient };
    const file = `${resource.directory}/swap`;
    await sandbox.run('dd', 'if=/dev/zero', `of=${file}`, 'bs=1M', 'count=4', 'status=none');
    await sandbox.run('chmod', '600', file);
    await sandbox.run('mkswap', file);
    await sandbox.run('swapon', file);
    const answer = await sandbox.ours('stop', resource);
    await sandbox.run('swapoff', file);
    expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining('swap') });
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  });

  test.each(['ext4', 'xfs', 'btrfs'] as const)(
    'Filesystem#91, D13: %s in another mount namespace is unmounted there too',
    async (type) => {
      const resource = await started(type);
      const other = await sandbox.holder(
        'exec unshare -m --propagation private sh -c "echo; exec sleep 3600"',
      );
      const answer = await sandbox.ours('stop', resource);
      expect(answer).toMatchObject({ code: 0, stderr: expect.stringContaining('mount namespace') });
      expect(readFileSync(`/proc/${other.pid}/mountinfo`, 'utf8')).not.toContain(resource.directory);
      expect(isAlive(other.pid)).toBe(true);
    },
  );

  describe.each(['ext4', 'xfs', 'btrfs'] as const)(
    'Filesystem#91, D13: %s that is busy in another mount namespace',
    (type) => {
      const busyElsewhere = async (resource: { readonly directory: string }) =>
        sandbox.holder(
          `exec unshare -m --propagation private bash -c 'cd ${resource.directory}; echo; exec sleep 3600'`,
        );

      test('who uses it there is ended', async () => {
        const resource = await started(type);
        const other = await busyElsewhere(resource);
        const answer = await sandbox.ours('stop', resource);
        expect(answer).toMatchObject({ code: 0, stderr: expect.stringContaining(`[${other.pid}] (cwd `) });
        expect([isAlive(other.pid), isFree(resource.device)]).toEqual([false, true]);
      });

      test('force_unmount=false: never a false "stopped"', async () => {
        const resource = { ...(await started(type)), meta_timeout: 20_000, force_unmount: 'false' };
        const other = await busyElsewhere(resource);
        const answer = await sandbox.ours('stop', resource);
        expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining(`[${other.pid}]`) });
        expect(isAlive(other.pid)).toBe(true);
        await other.end();
        expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
      });
    },
  );

  test('a lazy unmount by somebody else: neither monitor nor stop calls it stopped', async () => {
    const resource = { ...(await started()), meta_timeout: 20_000, force_unmount: 'false' };
    const process = await sandbox.holder(`exec 7>${resource.directory}/f; echo; exec sleep 3600`);
    await sandbox.run('umount', '-l', resource.directory);
    expect(await sandbox.ours('monitor', resource)).toMatchObject({ code: 1 });
    expect(await sandbox.ours('monitor', { ...resource, ...recurring })).toMatchObject({ code: 1 });
    expect(await sandbox.ours('stop', resource)).toMatchObject({
      code: 1,
      reason: expect.stringMatching(new RegExp(`still active: \\w+\\[${process.pid}\\] \\(fd 7 `)),
    });
    expect(await sandbox.ours('stop', { ...resource, force_unmount: 'true' })).toMatchObject({ code: 0 });
    expect([isAlive(process.pid), isFree(resource.device)]).toEqual([false, true]);
    expect(await sandbox.ours('monitor', resource)).toMatchObject({ code: 7 });
  });
});
