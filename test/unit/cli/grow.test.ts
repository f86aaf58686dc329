import { describe, expect, test } from 'vitest';
import type { Volume } from '../../../cli/configuration/pair.ts';
import { filesystemSize, growFilesystem, isMountedHere } from '../../../cli/drbd/filesystem-size.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { FakeMachine } from '../../fake/machine.ts';

const volume = (type: string): Volume => ({
  ...{ id: 'nfs-fs', device: '/dev/drbd1', disks: {}, type, directory: '/srv/nfs', options: null },
});
const mib = 1024 * 1024;

/** Of filesystems of 320 MiB: xfsprogs 6.1, e2fsprogs 1.47, btrfs-progs 6.2. */
const told: readonly (readonly [type: string, program: string, stdout: string])[] = [
  [
    'xfs',
    'xfs_info',
    `meta-data=/dev/drbd1           isize=512    agcount=4, agsize=20480 blks
         =                       sectsz=512   attr=2, projid32bit=1
data     =                       bsize=4096   blocks=81920, imaxpct=25
         =                       sunit=0      swidth=0 blks
naming   =version 2              bsize=4096   ascii-ci=0, ftype=1
log      =internal log           bsize=4096   blocks=16384, version=2
realtime =none                   extsz=4096   blocks=0, rtextents=0
`,
  ],
  [
    'ext4',
    'dumpe2fs',
    'Block count:              327680\nFree blocks:              306441\nBlock size:               1024\n',
  ],
  [
    'btrfs',
    'btrfs',
    'Label: none  uuid: 84bd304a-d27e-46f9-8d1d-08cc09a613a7\n\tTotal devices 1 FS bytes used 147456\n\tdevid    1 size 335544320 used 92274688 path /dev/drbd1\n\n',
  ],
];

describe('how large a filesystem is', () => {
  test.each(told)('%s', async (type, program, stdout) => {
    const machine = new FakeMachine().on(program, () => stdout);
    expect(await filesystemSize(hostOn(machine, 60_000), volume(type))).toBe(320 * mib);
  });

  test.each(told)('%s: an answer without it is none', async (type, program) => {
    const machine = new FakeMachine().on(program, () => 'something else\n');
    await expect(filesystemSize(hostOn(machine, 60_000), volume(type))).rejects.toThrow(/how large/);
  });
});

test('each grows in its own way, where it is mounted', () => {
  const commands = told.map(([type]) => growFilesystem(volume(type)).join(' '));
  expect(commands).toEqual([
    'xfs_growfs /srv/nfs',
    'resize2fs /dev/drbd1',
    'btrfs filesystem resize max /srv/nfs',
  ]);
});

describe('whether it is the volume that is seen on its directory', () => {
  const own = '40 1 147:1 / /srv/nfs rw - xfs /dev/drbd1 rw\n';
  test.each([
    ['nothing', '', false],
    ['the volume', own, true],
    ['another disk', '40 1 8:1 / /srv/nfs rw - xfs /dev/sda1 rw\n', false],
    ['another disk over it', `${own}41 40 8:1 / /srv/nfs rw - xfs /dev/sda1 rw\n`, false],
    ['the volume elsewhere', '40 1 147:1 / /mnt rw - xfs /dev/drbd1 rw\n', false],
    ['btrfs, whose number is its own', '40 1 0:52 / /srv/nfs rw - btrfs /dev/drbd1 rw\n', true],
  ])('%s: %s', async (_what, table, isThere) => {
    const machine = new FakeMachine();
    machine.files.set('/sys/class/block/drbd1/dev', '147:1\n');
    machine.files.set('/proc/self/mountinfo', `1 0 8:2 / / rw - ext4 /dev/sda2 rw\n${table}`);
    expect(await isMountedHere(hostOn(machine, 60_000), volume('xfs'))).toBe(isThere);
  });
});
