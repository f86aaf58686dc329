import { expect, test } from 'vitest';
import { FilesystemMachine, recurring } from '../../../fake/filesystem-machine.ts';
import { follow, mounted, ours, type Story, tmpfsOn } from '../../../fake/filesystem-story.ts';

// Where it is mounted, and what else is mounted there, below, above and beside.

const life = 'probe 7, start 0, rec 0, stop 0, rec 7';
const other = { source: '/dev/drbd2', target: '/nfsdata', device: '147:2' } as const;
const foreign = (m: FilesystemMachine) => m.disk('/dev/drbd2', 147, 2).mounted(other);
const on = (directory: string) => ({ with: { directory } });
const at = (target: string) => (m: FilesystemMachine) => m.mounted({ ...ours, target });

const stories: readonly Story[] = [
  {
    what: 'Filesystem#32: through a link, trailing slashes',
    with: { directory: '/link//' },
    given: (m) => m.links.set('/link', '/nfsdata'),
    calls: 'start 0, rec 0',
    mounts: ['/nfsdata'],
  },
  {
    what: 'Filesystem#32: its stop',
    with: { directory: '/link//' },
    given: (m) => mounted(m).links.set('/link', '/nfsdata'),
    calls: 'stop 0',
    mounts: [],
  },
  {
    what: 'Filesystem#33: the mount point is a file',
    ...on('/file'),
    given: (m) => m.files.set('/file', ''),
    calls: 'start 5, stop 0',
    reason: /not a directory/,
    mounts: [],
  },
  {
    what: 'Filesystem#34: no parent of the mount point',
    ...on('/a/b/c'),
    calls: 'probe 7, start 0',
    mounts: ['/a/b/c'],
  },
  { what: 'Filesystem#35: another device is mounted there: probe', given: foreign, calls: 'probe 7' },
  {
    what: 'Filesystem#36: monitor names both',
    given: foreign,
    calls: 'rec 1',
    reason: /drbd2.*drbd1/,
    ran: [],
  },
  {
    what: 'Filesystem#37, D1: start mounts nothing over it',
    given: foreign,
    calls: 'start 1',
    reason: /drbd2.*drbd1/,
    ran: [],
    mounts: ['/nfsdata'],
  },
  { what: 'Filesystem#38: stop leaves it', given: foreign, calls: 'stop 0', ran: [], mounts: ['/nfsdata'] },
  {
    what: 'Filesystem#39, D1: ours is below it: never 0 while ours is mounted',
    given: (m) => foreign(mounted(m)),
    calls: 'stop 1, probe 1, rec 1, start 1',
    reason: /drbd1.*drbd2/,
    mounts: ['/nfsdata', '/nfsdata'],
  },
  {
    what: 'Filesystem#42, D5: the path as a pattern matches another mount point',
    ...on('/tmp/m.1'),
    given: tmpfsOn('/tmp/mx1'),
    calls: 'rec 7, stop 0',
    mounts: ['/tmp/mx1'],
  },
  {
    what: 'Filesystem#43, D5: and a mount below that',
    ...on('/tmp/m.1'),
    given: tmpfsOn('/tmp/mx1/sub'),
    calls: 'start 0',
    mounts: ['/tmp/mx1/sub', '/tmp/m.1'],
  },
  { what: 'Filesystem#44: a blank in the path', ...on('/m 1'), calls: life, mounts: [] },
  { what: 'Filesystem#45, D5: two blanks', ...on('/m  1'), calls: life, mounts: [] },
  ...['/m%d', '/m[x]', '/m\\x', '/m\tx', '/m\nx', '/m\\040x', '/m#x', '/m$(x)'].map(
    (directory): Story => ({
      what: `Filesystem#46, D5: the path ${JSON.stringify(directory)}`,
      ...on(directory),
      calls: life,
      mounts: [],
    }),
  ),
  {
    what: 'Filesystem#47, D10: start while it runs with something mounted below',
    given: (m) => tmpfsOn('/nfsdata/sub')(mounted(m)),
    calls: 'start 0, rec 0',
    ran: [],
    mounts: ['/nfsdata', '/nfsdata/sub'],
  },
  {
    what: 'Filesystem#48: start would hide what is mounted below',
    given: tmpfsOn('/nfsdata/sub'),
    calls: 'start 6',
    reason: /\/nfsdata\/sub/,
    mounts: ['/nfsdata/sub'],
  },
  {
    what: 'Filesystem#49: stop takes what is mounted below first',
    given: (m) => tmpfsOn('/nfsdata/sub/deep')(tmpfsOn('/nfsdata/sub')(mounted(m))),
    calls: 'stop 0',
    ran: ['umount -c /nfsdata/sub/deep', 'umount -c /nfsdata/sub', 'umount -c /nfsdata'],
    mounts: [],
  },
  {
    what: 'Filesystem#50: also one whose name begins with a dot',
    given: (m) => tmpfsOn('/nfsdata/.hid')(mounted(m)),
    calls: 'start 0, stop 0',
    mounts: [],
  },
  {
    what: 'Filesystem#51: a neighbour whose name begins the same',
    ...on('/mnt/a'),
    given: (m) => tmpfsOn('/mnt/ab')(at('/mnt/a')(m)),
    calls: 'stop 0',
    mounts: ['/mnt/ab'],
  },
  {
    what: 'Filesystem#52, D3: another device whose name continues ours',
    with: { device: '/dev/vg/x-lv' },
    given: (m) =>
      m
        .disk('/dev/vg/x-lv', 253, 1)
        .disk('/dev/vg/x-lv-2', 253, 2)
        .mounted({ source: '/dev/vg/x-lv', target: '/nfsdata', device: '253:1' })
        .mounted({ source: '/dev/vg/x-lv-2', target: '/other', device: '253:2' }),
    calls: 'stop 0',
    mounts: ['/other'],
  },
  {
    what: 'Filesystem#54: a directory of ours is bound elsewhere',
    given: (m) => mounted(m).mounted({ ...ours, target: '/elsewhere', root: '/d' }),
    calls: 'stop 0',
    ran: ['umount -c /elsewhere', 'umount -c /nfsdata'],
    mounts: [],
  },
  {
    what: 'Filesystem#55, D4: another subvolume of the same btrfs',
    with: { fstype: 'btrfs', options: 'subvol=A' },
    given: (m) => {
      const volume = { ...ours, device: '0:50', type: 'btrfs' };
      m.mounted({ ...volume, root: '/A', superOptions: 'rw,subvolid=256,subvol=/A' });
      m.mounted({ ...volume, target: '/b', root: '/B', superOptions: 'rw,subvolid=257,subvol=/B' });
    },
    calls: 'rec 0, stop 0',
    mounts: ['/b'],
  },
  {
    what: 'Filesystem#28: the root directory',
    with: { directory: '///' },
    calls: 'start 6, status 1, rec 1, stop 0',
    reason: /root/,
    ran: [],
  },
  {
    what: 'Filesystem#31: white space behind the device: what is there is ours',
    with: { device: '/dev/drbd1 ' },
    given: mounted,
    calls: 'stop 0',
    mounts: [],
  },
];

test.each(stories.map((story) => [story.what, story] as const))('%s', (_what, story) => follow(story));

test('Filesystem#108: while other mounts come and go, the answer never changes', async () => {
  const machine = mounted(new FilesystemMachine());
  const [root = '', line = ''] = machine.files.get('/proc/self/mountinfo')?.split('\n') ?? [];
  const read = machine.read.bind(machine);
  let moment = 0;
  machine.read = async (path) => {
    if (path !== '/proc/self/mountinfo') return read(path);
    const others = Array.from(
      { length: moment++ % 80 },
      (_, n) => `${200 + n} 1 0:${n} / /m${n} rw - tmpfs x rw`,
    );
    const half = others.length >> 1;
    return [root, ...others.slice(0, half), line, ...others.slice(half), ''].join('\n');
  };
  for (let round = 0; round < 100; round++)
    expect(await machine.call('monitor', recurring), `round ${round}`).toMatchObject({ code: 0 });
});
