import { expect, test } from 'vitest';
import { deviceNumber } from '../../../../lib/host/storage/block-devices.ts';
import type { FilesystemMachine, Row } from '../../../fake/filesystem-machine.ts';
import { follow, ours, type Params } from '../../../fake/filesystem-story.ts';

// F12, F16: what a start mounted, or a monitor saw to be ours, is known again under other names; another mount that has its id by now is
// not. The kernel gives the lowest id that is free.

const on = '/srv/m';
const id = 100;
const tree: Row = { ...ours, target: on, id };
const bind = { device: '/o/a', options: 'bind', fstype: 'none' };
const bound = (root = '/a'): Row => ({ ...tree, root });
const memory: Row = { source: 'tmpfs', target: on, device: '0:50', type: 'tmpfs', id };
const btrfs = { fstype: 'btrfs', options: 'subvol=a', run_fsck: 'no' };
const subvolume = (path: string, number: number): Row => ({
  ...{ ...tree, device: '0:70', type: 'btrfs', root: path },
  superOptions: `rw,subvolid=${number},subvol=${path}`,
});
const overlay = { device: 'o', fstype: 'overlay', options: 'lowerdir=/l1,upperdir=/u' };
const layers = (lower: string): Row => ({
  ...{ source: 'o', target: on, device: '0:60', type: 'overlay', id },
  superOptions: `rw,lowerdir=${lower},upperdir=/u`,
});

/** Inodes of directories: those that a mount shows are the mount's. */
type Inodes = { readonly [path: string]: number };
const before: Inodes = { '/': 2, '/srv': 3, '/o': 2, '/o/a': 11, '/o/b': 12, [on]: 11 };

function show(machine: FilesystemMachine, inodes: Inodes): void {
  for (const path of Object.keys({ ...before, '/srv2': 0, '/srv2/m': 0 })) {
    machine.factsOf.delete(path);
    const ino = inodes[path];
    if (ino !== undefined) machine.factsOf.set(path, { kind: 'directory', dev: 2049, ino });
  }
}

function prepare(machine: FilesystemMachine): void {
  show(machine, before);
  machine.mounted({ ...ours, source: '/dev/drbd2', device: '147:2', target: '/o', id: 50 });
  machine.disk('/dev/drbd2', 147, 2);
  machine.files.set('/proc/filesystems', 'nodev\ttmpfs\nnodev\toverlay\n\txfs\n\tbtrfs\n');
  machine.on('stat', (args) => {
    const { dev = 0, ino } = machine.factsOf.get(args.at(-1) ?? '') ?? {};
    return ino === undefined
      ? { code: 1, stderr: 'stat: cannot statx: No such file or directory\n' }
      : `${deviceNumber(dev)} ${ino} directory\n`;
  });
  machine.on('realpath', (args) => args.at(-1) ?? '');
  machine.on('btrfs', () => 'ID 5 (FS_TREE)\n');
}

const another = 'rec 1, start 1, probe 7, stop 0';
const gone = 'rec 7, probe 7, stop 0';
const elsewhere = 'rec 1, start 1, probe 1, stop 0, rec 7';
const hidden = 'rec 1, start 1, probe 1, stop 1';
const here = 'rec 0, start 0, stop 0, rec 7';

type Told = readonly [
  what: string,
  with_: Params,
  ours: Row,
  then: { readonly mounts: readonly Row[]; readonly inodes?: Inodes },
  calls: string,
  left: readonly string[],
];
const onDisk = (row: Row): Row => ({ ...row, device: '147:2', source: '/dev/drbd2' });
const cover: Row = { ...memory, source: 'late', id: 120 };
const renamed: Inodes = { '/': 2, '/srv2': 3, '/srv2/m': 11, '/o': 2, '/o/a': 11 };

const situations: readonly Told[] = [
  [
    'another subvolume',
    btrfs,
    subvolume('/a', 256),
    { mounts: [subvolume('/b', 257)], inodes: { ...before, [on]: 256 } },
    another,
    [on],
  ],
  [
    'another directory, bound',
    bind,
    onDisk(bound()),
    { mounts: [onDisk(bound('/b'))], inodes: { ...before, [on]: 12 } },
    another,
    [on],
  ],
  ['other layers', overlay, layers('/l1'), { mounts: [layers('/l2')] }, another, [on]],
  [
    'one of its directories',
    {},
    tree,
    { mounts: [{ ...tree, root: '/sub' }], inodes: { ...before, [on]: 77 } },
    another,
    [on],
  ],
  [
    'a tmpfs of that name elsewhere',
    { device: 'tmpfs', fstype: 'tmpfs' },
    memory,
    { mounts: [{ ...memory, target: '/n' }] },
    gone,
    ['/n'],
  ],
  [
    'a bind mount of the same filesystem elsewhere',
    bind,
    onDisk(bound()),
    { mounts: [{ ...onDisk(bound('/b')), target: '/n' }] },
    gone,
    ['/n'],
  ],
  ['the disk elsewhere', {}, tree, { mounts: [{ ...tree, target: '/n' }] }, gone, ['/n']],
  [
    'the disk elsewhere, something else on the directory',
    {},
    tree,
    {
      mounts: [
        { ...tree, target: '/n' },
        { ...cover, target: on },
      ],
    },
    another,
    ['/n', on],
  ],
  [
    'the disk elsewhere, the directory removed',
    {},
    tree,
    { mounts: [{ ...tree, target: '/n' }], inodes: { '/': 2, '/srv': 3, '/o': 2 } },
    gone,
    ['/n'],
  ],
  [
    'the disk on the same name of another directory',
    {},
    tree,
    { mounts: [{ ...tree, target: '/srv2/m' }], inodes: { ...before, '/srv2': 4 } },
    gone,
    ['/srv2/m'],
  ],
  [
    'the same directory by a bind mount of what is above',
    {},
    tree,
    { mounts: [{ ...tree, target: '/srv2/m', parent: 60 }], inodes: { ...before, '/srv2': 3 } },
    gone,
    ['/srv2/m'],
  ],
  [
    'the directory above was renamed',
    {},
    tree,
    { mounts: [{ ...tree, target: '/srv2/m' }], inodes: renamed },
    elsewhere,
    [],
  ],
  [
    'the same, of a tmpfs',
    { device: 'tmpfs', fstype: 'tmpfs' },
    memory,
    { mounts: [{ ...memory, target: '/srv2/m' }], inodes: renamed },
    elsewhere,
    [],
  ],
  [
    'the same, and something is mounted over it',
    {},
    tree,
    {
      mounts: [
        { ...tree, target: '/srv2/m' },
        { ...cover, target: '/srv2', parent: 1 },
      ],
      inodes: renamed,
    },
    hidden,
    ['/srv2/m', '/srv2'],
  ],
  [
    'the same, and another bound directory has its id',
    bind,
    onDisk(bound()),
    { mounts: [{ ...onDisk(bound('/b')), target: '/srv2/m' }], inodes: { ...renamed, '/srv2/m': 12 } },
    gone,
    ['/srv2/m'],
  ],
  [
    'the bound directory was renamed',
    bind,
    onDisk(bound()),
    { mounts: [onDisk(bound('/c'))], inodes: { ...before, '/o/a': 15 } },
    here,
    [],
  ],
  [
    'the bound directory was renamed, something is mounted over it',
    bind,
    onDisk(bound()),
    { mounts: [onDisk(bound('/c')), { ...cover, target: on }], inodes: { ...before, '/o/a': 15 } },
    hidden,
    [on, on],
  ],
];

/** What is there when a monitor comes first, or what the first start makes. */
const toBe = (row: Row, first: string) => (m: FilesystemMachine) => {
  prepare(m);
  if (first === 'rec 0') m.mounted(row);
  else m.on('mount', () => void m.mounted(row));
};

for (const first of ['rec 0', 'start 0'])
  test.each(situations)(`F12, F16: %s, after ${first}`, (what, with_, row, then, calls, left) =>
    follow({
      what,
      with: { directory: on, ...with_ },
      given: toBe(row, first),
      calls: first,
      later: {
        change: (m) => {
          m.unmounted(on);
          show(m, then.inodes ?? before);
          for (const other of then.mounts) m.mounted(other);
        },
        calls,
      },
      after: (m) => expect(m.targets.slice(1)).toEqual(left),
    }),
  );

test('F16: another mount has the id of ours before the table is read again: that stays, and its users', () =>
  follow({
    what: '',
    with: { directory: on, ...bind },
    given: (m) => {
      prepare(m);
      m.mounted(onDisk(bound()));
      m.process(7, { comm: 'app\n' }, { exe: '/bin/app', cwd: '/n', 'ns/mnt': 'mnt:[1]' });
      m.on('umount', () => {
        m.unmounted(on);
        m.mounted({ ...onDisk(bound('/b')), target: '/n' });
        return undefined;
      });
    },
    calls: 'rec 0, stop 0',
    ran: ['umount -c /srv/m'],
    after: (m) => expect([m.targets, m.isLive(7)]).toEqual([['/o', '/n'], true]),
  }));

/** The agent's memory, and a change of it. */
const pageOf = (m: FilesystemMachine): string =>
  [...m.files.keys()].find((name) => name.includes('Filesystem-')) ?? '';
// biome-ignore lint/suspicious/noExplicitAny: whatever versions before this noted
function editPage(m: FilesystemMachine, edit: (facts: any) => void): void {
  const page = JSON.parse(m.files.get(pageOf(m)) ?? '');
  edit(page.facts);
  m.files.set(pageOf(m), JSON.stringify(page));
}

/** As a version before this noted it. */
const withLess = (m: FilesystemMachine): void =>
  editPage(m, ({ mount }) => {
    for (const name of ['parent', 'root', 'superOptions', 'above']) delete mount[name];
  });

/** Known by the record alone: it mounts as another type than it was asked for. */
function mountsAsFuse(m: FilesystemMachine): void {
  prepare(m);
  m.files.set('/proc/filesystems', 'nodev\tdavfs\n');
  const row = { ...memory, type: 'fuse', source: 'dav' };
  m.on('mount', (args) => {
    if (args.includes('--move')) m.unmounted(on);
    m.mounted(args.includes('--move') ? { ...row, target: '/srv/.m' } : row);
    return undefined;
  });
}

test('what a version before this noted is as good as before, and noted anew', () =>
  follow({
    what: '',
    with: { directory: on, device: 'https://dav/x', fstype: 'davfs' },
    given: mountsAsFuse,
    calls: 'start 0',
    later: { change: withLess, calls: 'rec 0' },
    after: (m) => expect(m.files.get(pageOf(m))).toContain('"above":"8:1 3"'),
  }));

test('F15: what a stop has moved beside the directory is found there, too', () =>
  follow({
    what: '',
    with: { directory: on, device: 'https://dav/x', fstype: 'davfs', force_unmount: 'true,move' },
    given: mountsAsFuse,
    calls: 'start 0, rec 0, stop 0, rec 7',
    after: (m) => expect(m.targets).toEqual(['/o']),
  }));

test('F12: nobody noted which directory it lay in: under another path it is neither stopped nor unmounted', () =>
  follow({
    what: '',
    with: { directory: on },
    given: (m) => {
      prepare(m);
      m.mounted(tree);
    },
    calls: 'rec 0',
    later: {
      change: (m) => {
        withLess(m);
        m.unmounted(on);
        m.mounted({ ...tree, target: '/srv2/m' });
        show(m, renamed);
      },
      calls: 'rec 1, probe 1, stop 1',
    },
    after: (m) => expect(m.targets).toContain('/srv2/m'),
  }));

const changed = 'probe 1, rec 1, start 1, stop 0, rec 7';
const foreign: Row = { ...cover, device: '147:3', source: '/dev/other', target: '/new' };
const forgetAsked = (m: FilesystemMachine): void =>
  editPage(m, (facts) => {
    facts.directory = facts.directory.directory;
    delete facts.mount;
  });

test.each<[string, string, Params, Row, (m: FilesystemMachine) => unknown, string, readonly string[]]>([
  ['after a start', 'start 0', {}, tree, () => undefined, changed, []],
  ['a monitor had found it', 'rec 0', {}, tree, () => undefined, changed, []],
  ['a bind mount', 'start 0', bind, onDisk(bound()), () => undefined, changed, []],
  ['a tmpfs', 'start 0', { device: 'tmpfs', fstype: 'tmpfs' }, memory, () => undefined, changed, []],
  [
    'something else is on the new one',
    'start 0',
    {},
    tree,
    (m) => m.mounted(foreign),
    'probe 1, rec 1, start 1, stop 0',
    ['/new'],
  ],
  ['noted by a version before', 'start 0', {}, tree, forgetAsked, 'probe 1, rec 1, stop 0, rec 7', []],
])('F17: directory was changed while it is mounted: %s', (what, first, with_, row, change, calls, left) =>
  follow({
    what,
    with: { directory: on, ...with_ },
    given: toBe(row, first),
    calls: first,
    later: {
      change: (m) => {
        m.env['OCF_RESKEY_directory'] = '/new';
        change(m);
      },
      calls,
    },
    after: (m) => expect(m.targets.slice(1)).toEqual(left),
  }),
);

test('F17: the reason names both', () =>
  follow({
    what: '',
    with: { directory: on },
    given: (m) => {
      prepare(m);
      m.on('mount', () => void m.mounted(tree));
    },
    calls: 'start 0',
    later: { change: (m) => Object.assign(m.env, { OCF_RESKEY_directory: '/new' }), calls: 'rec 1' },
    reason: /is on \/srv\/m, not on \/new: directory was \/srv\/m then$/,
  }));
