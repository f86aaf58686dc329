import { mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { diskSentence, lookAtDisk } from '../../../cli/disk/seen.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { nodeSys } from '../../../lib/host/sys/node-sys.ts';
import { loopOf } from '../loop.ts';

// A disk that DRBD is to have, on real loop devices: what it holds is told, and only what holds nothing is empty.

const mib = 1024 * 1024;
const size = 64 * mib;

const root = process.getuid?.() === 0;
const host = () => hostOn(nodeSys(process.env), performance.now() + 600_000);

/** An empty disk of 64 MiB, which ends with the test. */
async function disk(): Promise<{ readonly device: string; readonly file: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'tsha-disk-'));
  const file = join(dir, 'image');
  const fd = openSync(file, 'wx');
  truncateSync(file, size);
  writeSync(fd, '');
  const device = await loopOf(file);
  onTestFinished(async () => {
    await execa('losetup', ['--detach', device], { reject: false });
    rmSync(dir, { recursive: true });
  });
  return { device, file };
}

const write = (device: string, at: number) =>
  execa('dd', [`of=${device}`, 'bs=1', `seek=${at}`, 'conv=notrunc', 'oflag=seek_bytes', 'status=none'], {
    input: 'x',
  });

const look = async (path: string): Promise<string> =>
  diskSentence('DISK', await lookAtDisk(host(), path), 'en');

test.skipIf(!root)('an empty disk', async () => {
  expect(await look((await disk()).device)).toBe(
    'DISK holds nothing that a look at its whole length shows: 64 MiB',
  );
});

test.skipIf(!root).each<readonly [what: string, make: (device: string) => Promise<unknown>, said: RegExp]>([
  ['ext4', (device) => execa('mkfs.ext4', ['-q', device]), /known and at which byte: ext4 \(1080\)/],
  ['vfat', (device) => execa('mkfs.vfat', [device]), /: vfat \(\d+\)/],
  ['swap', (device) => execa('mkswap', [device]), /: swap \(4086\)/],
  [
    "DRBD's old meta-data",
    (device) => execa('drbdmeta', ['--force', '77', 'v08', device, 'internal', 'create-md']),
    /: drbd \(\d+\)/,
  ],
  ['a byte at the beginning', (device) => write(device, 77), /data that nobody has marked, at byte 0$/],
  ['the last byte', (device) => write(device, size - 1), /data that nobody has marked, at byte 66060288$/],
  [
    'data in the middle',
    (device) =>
      execa('dd', ['if=/dev/urandom', `of=${device}`, 'bs=1M', 'count=2', 'seek=30', 'status=none']),
    /at byte 3\d{7}$/,
  ],
])('%s is told', async (_, make, said) => {
  const { device } = await disk();
  await make(device);
  expect(await look(device)).toMatch(said);
});

test.skipIf(!root)('another device stands on it', async () => {
  const { device } = await disk();
  const upper = await loopOf(device);
  try {
    expect(await look(device)).toContain(`is in use: used by device ${upper.slice(5)}`);
  } finally {
    await execa('losetup', ['--detach', upper]);
  }
});

test.skipIf(!root)('what is no disk', async () => {
  const { file } = await disk();
  expect(await look(file)).toBe('DISK is no block device');
  expect(await look('/dev/tsha-no-such-disk')).toBe('DISK is not there');
});

test.skipIf(!root)('a disk that cannot be read is not empty', async () => {
  const { device, file } = await disk();
  truncateSync(file, mib);
  await expect(look(device)).rejects.toThrow(/wipefs|cmp/);
});
