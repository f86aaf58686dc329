import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anHour, openSandbox, recurring, type Sandbox } from './sandbox.ts';

// Cases 105-107: a server that stopped answering below a mount.

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

/** Processes, other than the server, that name the directory in their arguments. */
const leftBehind = (directory: string): readonly string[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
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
