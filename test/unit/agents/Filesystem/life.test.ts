import { expect, test } from 'vitest';
import { follow, mounted, ours, type Story } from '../../../fake/filesystem-story.ts';

// The ordinary life of a mount, the check levels, and what device, type and options can be.

const life = 'probe 7, start 0, rec 0, start 0, stop 0, rec 7, stop 0';
const readDisk = 'dd if=/dev/drbd1 of=/dev/null iflag=direct bs=4096 count=1 status=none';
const writeFile = (path: string) =>
  `dd of=/nfsdata/${path} bs=4096 count=1 iflag=fullblock oflag=sync,direct conv=fsync status=none`;
const readFile = (path: string) => `dd if=/nfsdata/${path} iflag=direct bs=4096 count=1 status=none`;
const level20 = (path: string) => [readDisk, '/agent beneath', writeFile(path), readFile(path)];
const named = { OCF_RESOURCE_INSTANCE: 't1' };
const dd: Story['given'] = (m) => mounted(m).on('dd', () => 't1\n\0\0');
const readOnly = { code: 1, stderr: 'dd: Read-only file system\n' };

/** A filesystem of others with a directory that is to be bound. */
const exported: Story['given'] = (m) =>
  m.mounted({ ...ours, target: '/data' }).factsOf.set('/data/d', { kind: 'directory' });

/** Of what a bind mount shows, once: it tells that from another directory, whatever its name. */
const statOfRoot = 'stat -L -c %Hd:%Ld %i %F -- /nfsdata';

const stories: readonly Story[] = [
  {
    what: 'Filesystem#1,4,5,6,7: a new directory, from start to stop, each twice',
    with: { directory: '/new/m', fstype: 'ext4' },
    given: (m) => m.factsOf.delete('/new/m'),
    calls: life,
    mounts: [],
    ran: [],
    silent: true,
    after: (m) => expect(m.factsOf.get('/new/m')).toMatchObject({ kind: 'directory', mode: 0o755 }),
  },
  { what: 'Filesystem#4: what stop executes', given: mounted, calls: 'stop 0', ran: ['umount -c /nfsdata'] },
  {
    what: 'Filesystem#7: monitor of what is mounted',
    given: mounted,
    calls: 'probe 0, rec 0',
    ran: [],
    silent: true,
  },
  { what: 'Filesystem#8: monitor of what is not', calls: 'probe 7, rec 7', ran: [], silent: true },
  { what: 'Filesystem#9: depth 10', given: dd, calls: 'rec@10 0', ran: [readDisk] },
  {
    what: 'Filesystem#10: depth 20',
    with: named,
    given: dd,
    calls: 'rec@20 0',
    ran: level20('.Filesystem_status/t1_node1'),
  },
  {
    what: 'Filesystem#77: its level as a parameter of the resource',
    with: { ...named, OCF_RESKEY_OCF_CHECK_LEVEL: '20' },
    given: dd,
    calls: 'rec 0',
    ran: level20('.Filesystem_status/t1_node1'),
  },
  ...(
    [
      ['', '.Filesystem_status/t1_node1'],
      ['.st', '.stt1_node1'],
      ['sub/dir/', 'sub/dir/t1_node1'],
      ['x', 'xt1_node1'],
    ] as const
  ).map(
    ([statusfile_prefix, path]): Story => ({
      what: `Filesystem#78: statusfile_prefix "${statusfile_prefix}"`,
      with: { ...named, statusfile_prefix },
      given: dd,
      calls: 'rec@20 0',
      ran: level20(path),
    }),
  ),
  {
    what: 'Filesystem#79: the clone number in its name',
    with: { ...named, CRM_meta_clone: '0' },
    given: dd,
    calls: 'rec@20 0',
    ran: level20('.Filesystem_status/t1_0_node1'),
  },
  {
    what: 'Filesystem#80: a stop of depth 20 removes the file',
    with: named,
    given: mounted,
    calls: 'stop@20 0',
    ran: ['/agent beneath', 'umount -c /nfsdata'],
    silent: true,
  },
  {
    what: 'Filesystem#80: one that cannot remove it says so',
    given: (m) => mounted(m).on('/agent', () => '{"trouble":"read-only file system","code":"EROFS"}'),
    calls: 'stop@20 0',
    mounts: [],
    warns: /cannot remove the status file/,
  },
  {
    what: 'Filesystem#12: the disk takes no write',
    given: (m) => mounted(m).on('dd', (args) => (args[0]?.startsWith('of=/nfsdata') ? readOnly : '')),
    calls: 'rec@20 1',
    reason: /Failed to write status file/,
  },
  {
    what: 'Filesystem#12: mounted read-only meanwhile',
    given: (m) => m.mounted({ ...ours, superOptions: 'ro' }),
    calls: 'rec@20 1',
    reason: /read-only/,
  },
  {
    what: 'Filesystem#2: no such device',
    with: { device: '/dev/no_such_device' },
    calls: 'start 5',
    reason: /no_such_device/,
    mounts: [],
  },
  {
    what: 'Filesystem#24,25,26: what else is said of it',
    with: { device: '/dev/no_such_device' },
    calls: 'probe 7, rec 7, status 7, stop 0, validate-all 0',
    silent: true,
  },
  {
    what: 'Filesystem#11: the disk is gone when mount opens it',
    given: (m) => m.on('mount', () => ({ code: 32, stderr: "mount: can't read superblock\n" })),
    calls: 'start 1',
    reason: /can't read superblock/,
    mounts: [],
  },
  {
    what: 'Filesystem#70: another type than the one on disk',
    with: { fstype: 'ext4' },
    given: (m) => m.on('mount', () => ({ code: 32, stderr: 'mount: /nfsdata: wrong fs type\n' })),
    calls: 'start 1',
    reason: /wrong fs type/,
    mounts: [],
  },
  {
    what: 'Filesystem#17: a host without tools',
    with: { OCF_TESTER_FAIL_HAVE_BINARY: '1' },
    calls: 'probe 7, stop 0, start 5',
  },
  {
    what: 'Filesystem#56: a bind mount',
    with: { device: '/data/d', fstype: 'none', options: 'bind' },
    given: exported,
    calls: life,
    mounts: ['/data'],
    silent: true,
  },
  ...['bind,ro', 'bind,noexec'].map(
    (options): Story => ({
      what: `Filesystem#${options === 'bind,ro' ? 57 : 58}, D7: ${options} is one mount of the bind, and no remount`,
      with: { device: '/data/d', fstype: 'none', options },
      given: exported,
      calls: 'start 0',
      ran: ['/agent beneath', '/agent beneath', `mount -c -o ${options} -- /data/d /nfsdata`, statOfRoot],
      mounts: ['/data', '/nfsdata'],
    }),
  ),
  {
    what: 'Filesystem#59: depth 10 of a bind mount reads the disk underneath',
    with: { device: '/data/d', fstype: 'none', options: 'bind' },
    given: (m) =>
      m
        .mounted({ ...ours, target: '/data' })
        .mounted({ ...ours, root: '/d' })
        .on('dd', () => ''),
    calls: 'rec@10 0',
    ran: [statOfRoot, readDisk],
  },
  {
    what: 'Filesystem#60: depth 20 of a bind mount that is read-only',
    with: { device: '/data/d', fstype: 'none', options: 'bind,ro' },
    given: (m) =>
      m
        .mounted({ ...ours, target: '/data' })
        .mounted({ ...ours, root: '/d' })
        .on('dd', (args) => (args[0]?.startsWith('of=/nfsdata') ? readOnly : '')),
    calls: 'rec@20 1',
    reason: /Read-only file system/,
  },
  {
    what: 'Filesystem#61: a tmpfs',
    with: { device: 'word', fstype: 'tmpfs', options: 'size=1m' },
    calls: 'start 0, rec 0',
    after: (m) => expect(m.targets).toEqual(['/nfsdata']),
  },
  {
    what: 'Filesystem#61: what is executed for it',
    with: { device: 'word', fstype: 'tmpfs', options: 'size=1m' },
    calls: 'start 0',
    ran: ['mount -t tmpfs -o size=1m word /nfsdata'],
  },
  {
    what: 'Filesystem#62: a tmpfs by another name',
    with: { device: 'another', fstype: 'tmpfs' },
    given: (m) => m.mounted({ source: 'word', target: '/nfsdata', device: '0:50', type: 'tmpfs' }),
    calls: 'rec 0, stop 0',
    mounts: [],
  },
  ...['-U id', '-Uid', '--uuid=id', '--uuid id', '-L id', '-Lid', '--label id', '--label=id'].map(
    (device): Story => ({
      what: `Filesystem#63: device ${device}`,
      with: { device },
      given: (m) => {
        for (const kind of ['uuid', 'label']) m.links.set(`/dev/disk/by-${kind}/id`, '/dev/drbd1');
      },
      calls: life,
      mounts: [],
    }),
  ),
  {
    what: 'Filesystem#66: an image file without the option loop',
    with: { device: '/srv/disk.img' },
    given: (m) => m.files.set('/srv/disk.img', ''),
    calls: 'start 5',
    reason: /add loop to options/,
    mounts: [],
  },
  {
    what: 'Filesystem#67: an image file with it',
    with: { device: '/srv/disk.img', options: 'loop', ...named },
    given: (m) => m.disk('/dev/loop0', 7, 0).on('dd', () => 't1\n\0\0'),
    calls: 'start 0, rec 0, rec@10 0, rec@20 0, stop 0, rec 7',
    mounts: [],
  },
];

test.each(stories.map((story) => [story.what, story] as const))('%s', (_what, story) => follow(story));
