import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseStat } from '../../../lib/host/sys/process-stat.ts';
import { anHour, openSandbox, recurring, type Sandbox } from './sandbox.ts';

// Cases 105-107: a server that stopped answering below a mount. And a mount(8) that is in the kernel, where SIGKILL does not reach it.

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

let count = 0;
/** A mount point whose server never answers again, and the resource that manages it. */
async function silentMount() {
  const directory = join(sandbox.folder, `silent${count++}`);
  mkdirSync(directory);
  const server = sandbox.background(['node', join(import.meta.dirname, 'silent-fuse.mjs'), directory]);
  await new Promise((resolve, reject) => {
    server.stdout?.once('data', resolve);
    void server.then(({ stderr }) => reject(new Error(String(stderr))));
  });
  return { device: 'silent:/export', directory, fstype: 'fuse' };
}

/** Whether it sleeps in the kernel's FUSE code, or in any other wait where the kernel does not tell which. */
const isWaiting = (pid: number | undefined): boolean =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('stat') &&
  / [SD] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, ''));

/** The words of a process, nothing of one that is gone. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Processes, other than the server, that name the directory in their arguments. */
const leftBehind = (directory: string): readonly string[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => commandOf(Number(pid)))
    .filter((line) => line.includes(directory) && !line.includes('silent-fuse'));

test('Filesystem#105, D8: monitor of depth 0 does not notice: the mount table answers', async () => {
  const resource = await silentMount();
  const answer = await sandbox.ours('monitor', { ...resource, ...recurring, meta_timeout: anHour });
  expect(answer).toMatchObject({ code: 0 });
});

test('D8: the stock agent hangs', async () => {
  const resource = await silentMount();
  for (const action of ['monitor', 'stop'])
    expect((await sandbox.stockFor(2, action, resource)).code, `${action}: ended after 2 s`).toBeUndefined();
});

test.each([10, 20])(
  'Filesystem#106, D8: monitor of depth %i ends before its timeout and names the path',
  async (depth) => {
    const resource = await silentMount();
    const answer = await sandbox.ours('monitor', {
      ...resource,
      ...recurring,
      meta_timeout: 12_000,
      OCF_CHECK_LEVEL: depth,
    });
    expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining(resource.directory) });
    expect(answer.reason?.slice(0, 120)).toMatch(/does not answer|no answer|still running/);
    expect(leftBehind(resource.directory)).toEqual([]);
  },
);

test('start sees that it is mounted, without touching it', async () => {
  const resource = await silentMount();
  expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
});

test('Filesystem#107, D8: stop unmounts an idle one at once', async () => {
  const resource = await silentMount();
  const answer = await sandbox.ours('stop', { ...resource, meta_timeout: anHour });
  expect(answer).toMatchObject({ code: 0 });
  expect((await sandbox.mounted()).filter((line) => line.startsWith(resource.directory))).toEqual([]);
});

test('Filesystem#107, D8: stop frees one that a process hangs in', async () => {
  const resource = await silentMount();
  const stuck = sandbox.background(['stat', '-f', resource.directory]);
  await expect.poll(() => isWaiting(stuck.pid), { timeout: 100_000 }).toBe(true);
  const answer = await sandbox.ours('stop', { ...resource, meta_timeout: 40_000 });
  expect(answer).toMatchObject({ code: 0 });
  expect((await sandbox.mounted()).filter((line) => line.startsWith(resource.directory))).toEqual([]);
  await stuck;
  expect(leftBehind(resource.directory)).toEqual([]);
});

const stateOf = (pid: number | undefined): string | undefined =>
  parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.state;

/** An overlay whose mounting takes until the layer below it answers. */
async function heldMount() {
  const layer = join(sandbox.folder, `layer${count}`);
  const directory = join(sandbox.folder, `held${count++}`);
  for (const one of [layer, directory]) mkdirSync(one);
  const server = sandbox.background(['node', join(import.meta.dirname, 'held-fuse.mjs'), layer]);
  let said = '';
  server.stdout?.on('data', (text) => (said += text));
  const says = (word: string) => expect.poll(() => said, { timeout: 100_000 }).toContain(word);
  await says('mounted');
  return {
    resource: { device: 'overlay', directory, fstype: 'overlay', options: `lowerdir=${layer}:/etc` },
    isAsked: () => says('asked'),
    answers: () => server.stdin?.write('\n'),
    /** The mount(8) that waits. */
    inKernel: () =>
      readdirSync('/proc')
        .filter((entry) => /^\d+$/.test(entry))
        .map(Number)
        .find((pid) => commandOf(pid).startsWith(`mount -t overlay -o lowerdir=${layer}`)),
  };
}

test('a start is killed while mount is in the kernel: never "stopped" before that has ended', async () => {
  const { resource, isAsked, answers, inKernel } = await heldMount();
  const start = sandbox.ours('start', { ...resource, meta_timeout: anHour });
  await isAsked();
  const mount = inKernel() ?? 0;
  const agent = parseStat(readFileSync(`/proc/${mount}/stat`, 'utf8'))?.parent ?? 0;
  for (const pid of [agent, mount]) process.kill(pid, 'SIGKILL');
  expect((await start).code).toBeUndefined();
  await expect.poll(() => stateOf(mount), { timeout: 100_000 }).toBe('D');

  const named = { code: 1, reason: expect.stringContaining(`mount (pid ${mount})`) };
  expect(await sandbox.ours('monitor', resource)).toMatchObject(named);
  expect(await sandbox.ours('monitor', { ...resource, ...recurring })).toMatchObject(named);
  expect(await sandbox.ours('stop', { ...resource, meta_timeout: 10_000 })).toMatchObject(named);
  expect(sandbox.isMounted(resource.directory)).toBe(false);

  answers();
  await expect.poll(() => sandbox.isMounted(resource.directory), { timeout: 100_000 }).toBe(true);
  expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  expect(sandbox.isMounted(resource.directory)).toBe(false);
  expect(await sandbox.ours('monitor', resource)).toMatchObject({ code: 7 });
});

test('what mount still mounts while a stop waits for its end is unmounted by that stop', async () => {
  const { resource, isAsked, answers } = await heldMount();
  const { directory, options } = resource;
  const mount = sandbox.background(['mount', '-t', 'overlay', '-o', options, 'overlay', directory]);
  await isAsked();
  const stop = sandbox.ours('stop', { ...resource, meta_timeout: anHour });
  // the stop has asked it to end
  await expect.poll(() => stateOf(mount.pid), { timeout: 100_000 }).toBe('D');
  answers();
  expect(await stop).toMatchObject({ code: 0, stderr: expect.stringContaining('unmounting overlay') });
  expect(sandbox.isMounted(directory)).toBe(false);
});
