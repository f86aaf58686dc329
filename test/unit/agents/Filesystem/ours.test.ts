import { expect, test } from 'vitest';
import type { FilesystemMachine, Row } from '../../../fake/filesystem-machine.ts';
import { follow, mounted, ours, type Params, type Story } from '../../../fake/filesystem-story.ts';

// The rule of what is ours, for each kind of source: what is not stays as it is.

const on = '/nfsdata';
const foreignDisk: Row = { source: '/dev/drbd2', target: on, device: '147:2', type: 'ext4' };
const autofs: Row = { source: 'systemd-1', target: on, device: '0:33', type: 'autofs' };
const tmpfs: Row = { source: 'x', target: on, device: '0:50', type: 'tmpfs' };
const nfs = (source: string, type = 'nfs4', more = 'rw'): Row => ({
  source,
  target: on,
  device: '0:60',
  type,
  superOptions: more,
});
const image = { device: '/srv/disk.img', options: 'loop', fstype: 'ext4' };
const bind = { device: '/data/d', options: 'bind', fstype: 'none' };
const export_ = { device: 'server:/export', fstype: 'nfs' };

/** Not ours: told to a probe as absent, to a monitor with both names; never mounted over, never unmounted. */
const isForeign = 'probe 7, rec 1, start 1, stop 0';
/** Ours, by whatever name. */
const isOurs = 'probe 0, rec 0, start 0, stop 0, rec 7';
/** Ours, and no good: what it shows was removed. */
const isRemoved = 'probe 1, rec 1, start 1, stop 0, rec 7';
/** Nobody can tell. */
const isUndecided = 'probe 1, rec 1, start 1, stop 1';

type Told = readonly [what: string, with_: Params, row: Row, calls: string];

const rows: readonly Told[] = [
  ["F1: an image, somebody's disk", image, foreignDisk, isForeign],
  ['F1: an image, another image', image, { ...foreignDisk, source: '/dev/loop8', device: '7:8' }, isForeign],
  ['F1: an image, a tmpfs', image, tmpfs, isForeign],
  [
    'F1: an image, one of its directories',
    image,
    { ...foreignDisk, source: '/dev/loop9', device: '7:9', root: '/d' },
    isForeign,
  ],
  ['F1: an image', image, { ...foreignDisk, source: '/dev/loop9', device: '7:9' }, isOurs],
  [
    'F1: its loop option alone makes no difference',
    { ...image, options: '' },
    { ...foreignDisk, source: '/dev/loop9', device: '7:9' },
    isOurs,
  ],
  [
    'F1: an image that was removed meanwhile',
    image,
    { ...foreignDisk, source: '/dev/loop7', device: '7:7' },
    isOurs,
  ],
  ["F1: a bind mount, somebody's disk", bind, foreignDisk, isForeign],
  ['F1: a bind mount of another directory of the disk', bind, { ...ours, root: '/e' }, isForeign],
  ["F1: a bind mount of the disk's root", bind, ours, isForeign],
  ['F1: a bind mount of the same path on another disk', bind, { ...foreignDisk, root: '/d' }, isForeign],
  ['F1: a bind mount', bind, { ...ours, root: '/d' }, isOurs],
  ['F1: a bind mount of what was removed', bind, { ...ours, root: '/d//deleted' }, isRemoved],
  ['a disk, one of its directories', {}, { ...ours, root: '/d' }, isForeign],
  [
    'a disk, one of its directories that was asked for',
    { options: 'X-mount.subdir=d' },
    { ...ours, root: '/d' },
    isOurs,
  ],
  ['F1: a bind mount of a bind mount', { ...bind, device: '/part/x' }, { ...ours, root: '/d/x' }, isOurs],
  ["F1: a tmpfs, somebody's disk", { device: 'word', fstype: 'tmpfs' }, foreignDisk, isForeign],
  ['F1: a tmpfs', { device: 'word', fstype: 'tmpfs' }, tmpfs, isOurs],
  [
    "F1: a tmpfs, a bind mount of another one's directory",
    { device: 'word', fstype: 'tmpfs' },
    { ...tmpfs, root: '/d' },
    isForeign,
  ],
  ['F2: NFS, an automount', export_, autofs, isForeign],
  ['F2: a disk, an automount', {}, autofs, isForeign],
  ['F2: a bind mount, an automount', bind, autofs, isForeign],
  ['F2: NFS without a type, an automount', { ...export_, fstype: '' }, autofs, isForeign],
  ['F2: NFS, another export', export_, nfs('server:/other'), isForeign],
  ['F2: NFS, another server', export_, nfs('other:/export'), isForeign],
  ['F2: NFS, SMB', export_, nfs('server:/export', 'cifs'), isForeign],
  ['F2: NFS, a tmpfs', export_, tmpfs, isForeign],
  ['F2: NFS, whatever its version', { ...export_, fstype: 'nfs4' }, nfs('server:/export', 'nfs'), isOurs],
  ['F2: NFS, spelt otherwise', { ...export_, device: 'SERVER.://export/' }, nfs('server:/export'), isOurs],
  [
    'F2: NFS, by its address',
    { ...export_, device: '10.0.0.9:/export' },
    nfs('server:/export', 'nfs4', 'rw,addr=10.0.0.9'),
    isOurs,
  ],
  ['F2: NFS without a type', { ...export_, fstype: '' }, nfs('server:/export'), isOurs],
  [
    'F2: SMB, no letter case',
    { device: '//Server/Share', fstype: 'cifs' },
    nfs('\\\\\\\\server\\\\share', 'cifs'),
    isOurs,
  ],
  ['F2: SMB, smb3', { device: '//s/a/', fstype: 'smb3' }, nfs('//s/a', 'cifs'), isOurs],
  [
    'F2: sshfs, with and without fuse.',
    { device: 'u@h:/d', fstype: 'sshfs' },
    nfs('u@h:/d', 'fuse.sshfs'),
    isOurs,
  ],
  [
    'F2: sshfs, another user',
    { device: 'u@h:/d', fstype: 'fuse.sshfs' },
    nfs('v@h:/d', 'fuse.sshfs'),
    isForeign,
  ],
  ['F2: any FUSE', { device: 'sshfs#u@h:/d', fstype: 'fuse' }, nfs('u@h:/d', 'fuse.sshfs'), isOurs],
  [
    'F2: FUSE, another program',
    { device: 'u@h:/d', fstype: 'fuse.sshfs' },
    nfs('u@h:/d', 'fuse.rclone'),
    isForeign,
  ],
  [
    'F2: a program that shows its own name',
    { device: 'bucket:/d', fstype: 'fuse.s3fs' },
    nfs('s3fs', 'fuse.s3fs'),
    isUndecided,
  ],
  [
    'F2: a helper that shows addresses',
    { device: 'mon1:/d', fstype: 'ceph' },
    nfs('10.0.0.1:6789:/d', 'ceph'),
    isUndecided,
  ],
  [
    'an overlay of other directories',
    { device: 'o', fstype: 'overlay', options: 'lowerdir=/a:/b,upperdir=/u' },
    nfs('o', 'overlay', 'rw,lowerdir=/a:/b,upperdir=/v'),
    isForeign,
  ],
  [
    'an overlay',
    { device: 'o', fstype: 'overlay', options: 'lowerdir=/a:/b,upperdir=/u' },
    nfs('x', 'overlay', 'rw,lowerdir+=/a,lowerdir+=/b,upperdir=/u'),
    isOurs,
  ],
  ['F3: a link that nobody has seen', { device: '/dev/gone', fstype: '' }, ours, isUndecided],
  ['F3: by the name in the mount table', { device: '/dev/gone' }, { ...ours, source: '/dev/gone' }, isOurs],
  ['F3: another type than asked for', { device: '/dev/gone' }, foreignDisk, isForeign],
  ['F3: a label of no disk', { device: 'UUID=1234' }, ours, isUndecided],
  [
    'F3: a kernel name whose node is gone',
    { device: '/dev/drbd7' },
    { ...ours, source: '/dev/drbd7', device: '147:7' },
    'probe 0, stop 0',
  ],
  ['F3: no disk at all', { device: '/dev/gone', fstype: '' }, tmpfs, isForeign],
  ['F4: another subvolume', { fstype: 'btrfs', options: 'noatime,subvol=A' }, btrfs('/B', 257), isForeign],
  ['F4: by number', { fstype: 'btrfs', options: 'subvolid=256' }, btrfs('/B', 257), isForeign],
  ['F4: the default one', { fstype: 'btrfs' }, btrfs('/B', 257), isForeign],
  [
    'F4: a directory of it',
    { fstype: 'btrfs', options: 'subvol=A' },
    { ...btrfs('/A', 256), root: '/A/d' },
    isForeign,
  ],
  ['F4: it', { fstype: 'btrfs', options: 'subvol=/A/' }, btrfs('/A', 256), isOurs],
  ['F4: it, by number', { fstype: 'btrfs', options: 'subvolid=0x100' }, btrfs('/A', 256), isOurs],
  ['F4: the top', { fstype: 'btrfs' }, btrfs('/', 5), isOurs],
];

function btrfs(path: string, id: number): Row {
  return {
    ...ours,
    device: '0:70',
    type: 'btrfs',
    root: path,
    superOptions: `rw,subvolid=${id},subvol=${path}`,
  };
}

function prepare(machine: FilesystemMachine): void {
  machine.disk('/dev/drbd2', 147, 2);
  machine.mounted({ ...ours, target: '/data' }).mounted({ ...ours, target: '/part', root: '/d' });
  machine.files.set('/srv/disk.img', '');
  machine.files.set('/sys/dev/block/7:9/loop/backing_file', '/srv/disk.img\n');
  machine.files.set('/sys/dev/block/7:8/loop/backing_file', '/srv/other.img\n');
  machine.files.set('/sys/dev/block/7:7/loop/backing_file', '/srv/disk.img (deleted)\n');
  for (const minor of [7, 8, 9]) machine.disk(`/dev/loop${minor}`, 7, minor);
  machine.files.set('/proc/filesystems', 'nodev\tfuse\n\text4\n\txfs\n\tbtrfs\n');
  const inodes = new Map([
    ['/srv/disk.img', 11],
    ['/srv/other.img', 12],
    ['/data/d', 13],
    ['/part/x', 14],
  ]);
  machine.on('stat', (args) => {
    const ino = inodes.get(args.at(-1) ?? '');
    return ino
      ? `8:1 ${ino} regular file\n`
      : { code: 1, stderr: 'stat: cannot statx: No such file or directory\n' };
  });
  machine.on('realpath', (args) => args.at(-1) ?? '');
  machine.on('blkid', () => ({ code: 2 }));
  machine.on('btrfs', () => 'ID 5 (FS_TREE)\n');
}

test.each(rows)('%s', (what, with_, row, calls) =>
  follow({
    what,
    with: with_,
    given: (m) => {
      prepare(m);
      m.mounted(row);
      if (row.device === '147:7') m.links.set('/sys/dev/block/147:7', '../../block/drbd7');
      // Only the disk of the resource is in use elsewhere: its stop takes those mounts along.
      if (row.device === '147:1' && with_['options'] !== 'bind')
        for (const other of ['/part', '/data']) m.unmounted(other);
    },
    calls,
    ...(calls === isForeign || calls === isUndecided ? { reason: both(with_, row) } : {}),
    after: (m) =>
      expect(m.targets.includes(on)).toBe(
        calls !== isOurs && calls !== isRemoved && !calls.startsWith('probe 0'),
      ),
  } satisfies Story),
);

/** What is mounted, then what was asked for, for a person; a backslash is one. */
const both = (with_: Params, { source }: Row): RegExp => {
  const name = with_['device'] ?? '/dev/drbd1';
  const literally = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return new RegExp(`${literally(source)}.*${literally(name)}`);
};

type Change = (machine: FilesystemMachine) => unknown;
const link = (machine: FilesystemMachine, target = '/dev/drbd1') => machine.links.set('/dev/mylink', target);
const vanish: Change = (m) => m.links.delete('/dev/mylink');
const serial = (machine: FilesystemMachine, number: string, text: string) =>
  machine.files.set(`/sys/dev/block/${number}/diskseq`, `${text}\n`);

test.each<[string, Params, Change, string, Change, string, readonly string[]]>([
  [
    'Filesystem#40,41, D2: the link vanishes while mounted',
    {},
    (m) => link(m),
    'start 0',
    vanish,
    'probe 0, rec 0, stop 0, rec 7',
    [],
  ],
  [
    'F3: a resource that the stock agent started',
    {},
    (m) => mounted(m) && link(m),
    'rec 0',
    vanish,
    'rec 0, stop 0, rec 7',
    [],
  ],
  [
    'F3: start was refused, then the link vanishes',
    {},
    (m) => m.mounted(foreignDisk) && link(m),
    'start 1',
    vanish,
    'probe 7, stop 0, stop 0, probe 7',
    [on],
  ],
  [
    'F3: the link leads to another disk meanwhile',
    {},
    (m) => link(m),
    'start 0',
    (m) => link(m, '/dev/drbd2'),
    'rec 0, stop 0',
    [],
  ],
  [
    'F3: its number belongs to another disk now',
    {},
    (m) => link(serial(m.mounted(foreignDisk), '147:1', '7') && m),
    'start 1',
    (m) => {
      vanish(m);
      m.unmounted(on);
      serial(m.mounted(ours), '147:1', '8');
    },
    'probe 7, stop 0',
    [on],
  ],
  [
    'F3: the mapper says by UUID which it is',
    {},
    (m) => link(m) && m.files.set('/sys/dev/block/147:1/dm/uuid', 'LVM-a\n'),
    'start 0',
    (m) => {
      vanish(m);
      m.files.set('/sys/dev/block/147:1/dm/uuid', 'LVM-b\n');
    },
    'probe 7, stop 0',
    [on],
  ],
  [
    'F3: a label whose link vanishes',
    { device: 'LABEL=d' },
    (m) => m.links.set('/dev/disk/by-label/d', '/dev/drbd1'),
    'start 0',
    (m) => m.links.delete('/dev/disk/by-label/d'),
    'rec 0, stop 0',
    [],
  ],
  [
    'F3: another device, the same resource',
    {},
    (m) => link(m),
    'start 0',
    (m) => Object.assign(m.env, { OCF_RESKEY_device: '/dev/drbd2' }),
    'probe 7, rec 1',
    [on],
  ],
  [
    'F3: a bind mount whose directory another disk hides now',
    bind,
    (m) => m.mounted({ ...ours, target: '/data' }).factsOf.set('/data/d', { kind: 'directory' }),
    'start 0',
    (m) => m.mounted({ ...foreignDisk, target: '/data/d' }),
    'rec 0, stop 0',
    ['/data', '/data/d'],
  ],
  [
    'F4: a subvolume that was renamed',
    { device: '/dev/drbd1', fstype: 'btrfs', options: 'subvol=A' },
    (m) => m.mounted(btrfs('/A', 256)),
    'rec 0',
    (m) => {
      m.unmounted(on);
      m.mounted(btrfs('/C', 256));
    },
    'rec 0, stop 0',
    [],
  ],
  [
    'a name that the helper rewrote at our start',
    { device: 'bucket:/d', fstype: 'fuse.s3fs' },
    (m) => m.on('mount', () => void m.mounted(nfs('s3fs', 'fuse.s3fs'))),
    'start 0',
    () => undefined,
    'rec 0, start 0, stop 0, rec 7',
    [],
  ],
])('%s', async (what, with_, before, calls, change, after, left) => {
  await follow({
    what,
    with: { device: '/dev/mylink', ...with_ },
    given: (m) => {
      prepare(m);
      for (const other of ['/part', '/data']) m.unmounted(other);
      before(m);
    },
    calls,
    later: { change, calls: after },
    mounts: left,
  });
});
