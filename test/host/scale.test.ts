import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSandbox as openExports } from './exportfs-sandbox.ts';
import { openSandbox, recurring } from './filesystem-sandbox.ts';

// Big machines: the answers stay right, and how long each agent takes is printed, not judged.

const entries = 5000;
const users = 2000;

/** mount(2) in a loop: 5,000 processes of mount would take a minute. */
const manyMounts = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
folder, count = sys.argv[1], int(sys.argv[2])
for n in range(count):
    target = f"{folder}/{n}"
    os.mkdir(target)
    if libc.mount(folder.encode(), target.encode(), None, 4096, None):
        raise OSError(ctypes.get_errno(), target)
`;

/** Processes that do nothing in a directory; the parent waits for them elsewhere. */
const manyUsers = `
import os, signal, sys
for n in range(int(sys.argv[2])):
    if os.fork() == 0:
        os.chdir(sys.argv[1])
        while True: signal.pause()
print(flush=True)
while True:
    try: os.wait()
    except ChildProcessError: break
`;

test('Filesystem: a mount table of 5,000 entries', async () => {
  const box = await openSandbox();
  try {
    const many = join(box.folder, 'many');
    mkdirSync(many);
    await box.run('mount', '-t', 'tmpfs', 'x', many);
    await box.run('python3', '-c', manyMounts, many, String(entries));
    const table = (await box.run('cat', '/proc/self/mountinfo')).split('\n');
    expect(table.length).toBeGreaterThan(entries);
    const figures: Record<string, string> = {};
    for (const agent of ['ours', 'stock'] as const) {
      const params = { device: await box.disk('ext4'), directory: join(box.folder, agent), fstype: 'ext4' };
      for (const [action, more] of [
        ['start', {}],
        ['monitor', recurring],
        ['stop', {}],
      ] as const) {
        const { code, ms } = await box[agent](action, { ...params, ...more });
        expect(code, `${agent} ${action}`).toBe(0);
        figures[`${agent} ${action}`] = `${ms.toFixed(0)} ms`;
      }
    }
    console.log(`Filesystem, ${table.length} mounts:`, figures);
    await box.run('umount', '-l', many);
  } finally {
    await box.close();
  }
}, 60_000);

// Ours only: the stock agent of 4.12, with a timeout of 30 s, had not ended after 60 s.
test('Filesystem: 2,000 processes use the mount', async () => {
  const box = await openSandbox();
  try {
    const params = { device: await box.disk('ext4'), directory: join(box.folder, 'm'), fstype: 'ext4' };
    await box.ours('start', params);
    const child = box.background(['python3', '-c', manyUsers, params.directory, String(users)]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const { code, ms } = await box.ours('stop', params);
    console.log(`Filesystem, ${users} users: stopped after ${ms.toFixed(0)} ms`);
    expect(code).toBe(0);
    expect(await box.mounted()).toEqual([]);
    await child; // ends with the last of them
  } finally {
    await box.close();
  }
}, 40_000);

test('exportfs: an etab of 5,000 exports', async () => {
  const box = await openExports();
  try {
    await box.write('/etc/exports', '');
    const options =
      '(rw,sync,wdelay,hide,nocrossmnt,secure,root_squash,no_all_squash,anonuid=65534,anongid=65534,sec=sys)';
    const lines = Array.from({ length: entries }, (_, n) => `/srv/many/${n}\t10.0.0.0/24${options}\n`);
    await box.write('/var/lib/nfs/etab', lines.join(''));
    const figures: Record<string, string> = {};
    for (const agent of ['ours', 'stock'] as const) {
      const params = {
        clientspec: '*',
        options: 'rw',
        fsid: 7,
        directory: box.directory(agent),
        rmtab_backup: 'none',
      };
      for (const [action, more] of [
        ['start', {}],
        ['monitor', { meta_interval: 10_000 }],
        ['stop', {}],
      ] as const) {
        const since = performance.now();
        const { code } = await box[agent](action, { ...params, ...more });
        expect(code, `${agent} ${action}`).toBe(0);
        figures[`${agent} ${action}`] = `${(performance.now() - since).toFixed(0)} ms`;
      }
    }
    expect(await box.exported()).toHaveLength(entries);
    console.log(`exportfs, ${entries} exports:`, figures);
  } finally {
    await box.close();
  }
}, 90_000);
