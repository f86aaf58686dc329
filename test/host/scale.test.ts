import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSandbox as openExports } from './exportfs/sandbox.ts';
import { openSandbox, recurring, type Sandbox } from './Filesystem/sandbox.ts';

// Big machines: the answers stay right, and how long each agent takes is printed, not judged.

const entries = 5000;
const users = 2000;
const processes = 20_000;
/** In seconds, for the stock agent's stop: it looks at each user with a ps of its own. */
const patience = 30;

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

const batch = 100;
/** Processes that do nothing in a directory, until the input ends: at the latest with the test. In batches, for the shell's sake. */
const manyUsers = `
exec 3<&0
while [ "$1" -gt 0 ]; do
  (
    cd "$0"
    count=$2
    while [ $count -gt 0 ]; do read -r line <&3 & count=$((count - 1)); done
    cd /
    echo ready
    wait
  ) &
  set -- $(($1 - 1)) "$2"
done
wait
`;

async function crowd(box: Sandbox, directory: string, count: number) {
  const [batches, size] = [Math.ceil(count / batch), Math.min(count, batch)];
  const child = box.background(['sh', '-c', manyUsers, directory, String(batches), String(size)]);
  await new Promise<void>((resolve) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.split('\n').length > batches) resolve();
    });
  });
  const end = async () => {
    child.stdin.end();
    await child;
  };
  return { end };
}

const figure = (code: number | undefined, ms: number): string =>
  code === undefined ? `not ended after ${patience} s` : `${ms.toFixed(0)} ms`;

const bytesPerProcess = 128 * 1024;
const freeBytes = (): number =>
  Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;

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

test('Filesystem: 2,000 processes use the mount', async () => {
  const box = await openSandbox();
  try {
    const figures: Record<string, string> = {};
    for (const agent of ['ours', 'stock'] as const) {
      const params = { device: await box.disk('ext4'), directory: join(box.folder, agent), fstype: 'ext4' };
      await box.ours('start', params);
      const all = await crowd(box, params.directory, users);
      const { code, ms } = await (agent === 'ours'
        ? box.ours('stop', params)
        : box.stockFor(patience, 'stop', params));
      figures[`${agent} stop`] = figure(code, ms);
      if (agent === 'ours') {
        expect(code).toBe(0);
        expect(box.mounts(params.directory)).toEqual([]);
      }
      await all.end();
    }
    console.log(`Filesystem, ${users} users:`, figures);
  } finally {
    await box.close();
  }
}, 120_000);

test('Filesystem: a machine with 20,000 processes, of which 20 use the mount', async () => {
  const count = Math.min(processes, Math.floor(freeBytes() / 2 / bytesPerProcess));
  if (count < processes) console.warn(`only ${count} processes: this machine has no memory for ${processes}`);
  const box = await openSandbox();
  try {
    const others = await crowd(box, '/', count);
    const figures: Record<string, string> = {};
    for (const agent of ['ours', 'stock'] as const) {
      const params = {
        device: await box.disk('ext4'),
        directory: join(box.folder, agent),
        fstype: 'ext4',
        meta_timeout: 60_000,
      };
      await box[agent]('start', params);
      const few = await crowd(box, params.directory, 20);
      for (const [action, more] of [
        ['monitor', recurring],
        ['stop', {}],
      ] as const) {
        const given = { ...params, ...more };
        const called = agent === 'ours' ? box.ours(action, given) : box.stockFor(patience, action, given);
        const { code, ms, stderr } = await called;
        if (agent === 'ours') expect(code, `${action}: ${stderr}`).toBe(0);
        figures[`${agent} ${action}`] = figure(code, ms);
      }
      await few.end();
    }
    const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
    expect(left, 'the others live on').toBeGreaterThan(count);
    console.log(`Filesystem, ${count} other processes:`, figures);
    await others.end();
  } finally {
    await box.close();
  }
}, 240_000);

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
