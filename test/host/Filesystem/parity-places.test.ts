import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { onDisk, type Row, type Step, testParity } from './parity.ts';
import type { Sandbox } from './sandbox.ts';

// Where it is mounted, and what else is mounted there.

const m = 'm';
const startStop: readonly Step[] = [
  { do: 'start', ours: 0, mounts: [m] },
  { do: 'monitor', ours: 0 },
  { do: 'stop', ours: 0, mounts: [] },
];
const named = (name: string) => async (s: Sandbox, dir: string) => ({
  ...(await onDisk('ext4')(s, dir)),
  directory: `${dir}/${name}`,
});
/** A path that some agent mishandles: start, look, stop. */
const oddPath = (
  name: string,
  stock: readonly [monitor: number, left: readonly string[]],
): readonly Step[] => [
  { do: 'start', ours: 0, mounts: [name] },
  { do: 'monitor', ours: 0, stock: stock[0] },
  { do: 'stop', ours: 0, mounts: [], stockMounts: stock[1] },
];
const foreign = async (s: Sandbox, dir: string) => {
  const params = await onDisk('ext4')(s, dir);
  mkdirSync(params['directory'] ?? '');
  await s.run('mount', await s.disk('ext4'), params['directory'] ?? '');
  return params;
};
const viaLink = async (s: Sandbox, dir: string) => {
  const params = await onDisk('ext4')(s, dir);
  const link = `/dev/tsha-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  symlinkSync(params['device'] ?? '', link);
  return { ...params, device: link };
};

/** Two devices, mounted both, of which the other's name is ours and more. */
const neighbours = (name: string, more: string) => async (s: Sandbox, dir: string) => {
  const node = `/dev/tsha-${process.pid}-${Math.random().toString(36).slice(2, 8)}-${name}`;
  await s.run('cp', '-a', await s.disk('ext4'), node);
  await s.run('cp', '-a', await s.disk('ext4'), node + more);
  mkdirSync(`${dir}/other`);
  await s.run('mount', node + more, `${dir}/other`);
  return { device: node, directory: `${dir}/m`, fstype: 'ext4' };
};

const rows: readonly Row[] = [
  {
    what: 'Filesystem#33: the mount point is a file',
    prepare: async (s, dir) => {
      const params = await onDisk('ext4')(s, dir);
      writeFileSync(params['directory'] ?? '', '');
      return params;
    },
    steps: [
      { do: 'start', ours: 5, mounts: [] },
      { do: 'stop', ours: 0 },
    ],
  },
  {
    what: 'Filesystem#34: no parent of the mount point',
    prepare: named('a/b/c'),
    steps: [
      { do: 'probe', ours: 7 },
      { do: 'start', ours: 0, mounts: ['a/b/c'] },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#32: through a link, trailing slashes',
    prepare: async (s, dir) => {
      const params = await onDisk('ext4')(s, dir);
      mkdirSync(`${dir}/m`);
      symlinkSync(`${dir}/m`, `${dir}/link`);
      return { ...params, directory: `${dir}/link//` };
    },
    steps: startStop,
  },
  {
    what: 'Filesystem#35-38, D1: another device is mounted there',
    prepare: foreign,
    steps: [
      { do: 'probe', ours: 7, stock: 0 },
      { do: 'monitor', ours: 1, stock: 0 },
      { do: 'start', ours: 1, stock: 0, mounts: [m] },
      { do: 'stop', ours: 0, mounts: [m], stockMounts: [] },
    ],
  },
  {
    what: 'Filesystem#40,41, D2: the device node vanishes while mounted',
    prepare: viaLink,
    steps: [
      { do: 'start', ours: 0, mounts: [m] },
      { do: 'monitor', before: (_s, { device }) => unlinkSync(device ?? ''), ours: 0 },
      { do: 'probe', ours: 0 },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#42, D5: the path as a pattern matches another mount point',
    prepare: async (s, dir) => {
      mkdirSync(`${dir}/mx1`);
      await s.run('mount', '-t', 'tmpfs', 'x', `${dir}/mx1`);
      return named('m.1')(s, dir);
    },
    steps: [
      { do: 'monitor', ours: 7, stock: 0 },
      { do: 'stop', with: { meta_timeout: 3000 }, ours: 0, stock: 1, mounts: ['mx1'] },
    ],
  },
  {
    what: 'Filesystem#43, D5: a nested mount only as a pattern',
    prepare: async (s, dir) => {
      mkdirSync(`${dir}/mx1/sub`, { recursive: true });
      await s.run('mount', '-t', 'tmpfs', 'x', `${dir}/mx1/sub`);
      return named('m.1')(s, dir);
    },
    steps: [{ do: 'start', ours: 0, stock: 6, mounts: ['mx1/sub', 'm.1'], stockMounts: ['mx1/sub'] }],
  },
  { what: 'Filesystem#44: a blank', prepare: named('a b'), steps: oddPath('a b', [0, []]) },
  { what: 'Filesystem#45, D5: two blanks', prepare: named('a  b'), steps: oddPath('a  b', [0, ['a  b']]) },
  { what: 'Filesystem#46, D5: a percent sign', prepare: named('m%d'), steps: oddPath('m%d', [7, ['m%d']]) },
  { what: 'Filesystem#46, D5: brackets', prepare: named('m[x]'), steps: oddPath('m[x]', [7, ['m[x]']]) },
  {
    what: 'Filesystem#47,49, D10: something is mounted below ours',
    prepare: onDisk('ext4'),
    steps: [
      { do: 'start', ours: 0, mounts: [m] },
      {
        do: 'start',
        before: async (s, { directory }) => {
          await s.run('mkdir', `${directory}/sub`);
          await s.run('mount', '-t', 'tmpfs', 'x', `${directory}/sub`);
        },
        ours: 0,
        stock: 6,
        mounts: [m, 'm/sub'],
      },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#50: a mount below ours whose name begins with a dot',
    prepare: onDisk('ext4'),
    steps: [
      { do: 'start', ours: 0, mounts: [m] },
      {
        do: 'stop',
        before: async (s, { directory }) => {
          await s.run('mkdir', `${directory}/.hid`);
          await s.run('mount', '-t', 'tmpfs', 'x', `${directory}/.hid`);
        },
        ours: 0,
        mounts: [],
      },
    ],
  },
  {
    what: 'Filesystem#48: something is mounted where ours would hide it',
    prepare: async (s, dir) => {
      mkdirSync(`${dir}/m/sub`, { recursive: true });
      await s.run('mount', '-t', 'tmpfs', 'x', `${dir}/m/sub`);
      return onDisk('ext4')(s, dir);
    },
    steps: [{ do: 'start', ours: 6, mounts: ['m/sub'] }],
  },
  {
    what: 'Filesystem#51: a neighbour whose name begins the same',
    prepare: async (s, dir) => {
      mkdirSync(`${dir}/mb`);
      await s.run('mount', '-t', 'tmpfs', 'x', `${dir}/mb`);
      return onDisk('ext4')(s, dir);
    },
    steps: [
      { do: 'start', ours: 0, mounts: [m, 'mb'] },
      { do: 'stop', ours: 0, mounts: ['mb'] },
    ],
  },
  {
    what: 'Filesystem#54: a directory of ours is bound elsewhere',
    prepare: onDisk('ext4'),
    steps: [
      { do: 'start', ours: 0, mounts: [m] },
      {
        do: 'stop',
        before: async (s, { directory = '' }) => {
          const elsewhere = `${directory}-bound`;
          await s.run('mkdir', `${directory}/d`, elsewhere);
          await s.run('mount', '--bind', `${directory}/d`, elsewhere);
        },
        ours: 0,
        mounts: [],
      },
    ],
  },
  {
    what: 'Filesystem#52, D3: another device whose name continues ours',
    prepare: neighbours('lv', '-2'),
    steps: [
      { do: 'start', ours: 0, mounts: [m, 'other'] },
      { do: 'stop', ours: 0, mounts: ['other'], stockMounts: [] },
    ],
  },
  {
    what: 'Filesystem#53: drbd5 and drbd50',
    prepare: neighbours('drbd5', '0'),
    steps: [
      { do: 'start', ours: 0, mounts: [m, 'other'] },
      { do: 'stop', ours: 0, mounts: ['other'], stockMounts: [] },
    ],
  },
  {
    what: 'Filesystem#55, D4: another subvolume of the same btrfs is mounted elsewhere',
    prepare: async (s, dir) => {
      const device = await s.disk('btrfs');
      mkdirSync(`${dir}/b`);
      await s.run('mount', device, `${dir}/b`);
      await s.run('btrfs', 'subvolume', 'create', `${dir}/b/A`);
      await s.run('btrfs', 'subvolume', 'create', `${dir}/b/B`);
      await s.run('umount', `${dir}/b`);
      await s.run('mount', '-o', 'subvol=B', device, `${dir}/b`);
      return { device, directory: `${dir}/m`, fstype: 'btrfs', options: 'subvol=A' };
    },
    steps: [
      { do: 'start', ours: 0, mounts: [m, 'b'] },
      { do: 'monitor', ours: 0 },
      { do: 'stop', ours: 0, mounts: ['b'], stockMounts: [] },
    ],
  },
  {
    what: 'Filesystem#27-29: the root directory',
    prepare: async (s) => ({ device: await s.disk('ext4'), directory: '///', fstype: 'ext4' }),
    steps: [{ do: 'start', ours: 6, stock: 0 }],
  },
  {
    what: 'Filesystem#30: white space around the device',
    prepare: async (s, dir) => ({
      device: `${await s.disk('ext4')} `,
      directory: `${dir}/m`,
      fstype: 'ext4',
    }),
    steps: [
      { do: 'start', ours: 6, stock: 5, mounts: [] },
      { do: 'stop', ours: 0 },
    ],
  },
  {
    what: 'Filesystem#3,19,20: no device',
    prepare: async (s, dir) => ({ ...(await onDisk('ext4')(s, dir)), device: '' }),
    steps: [
      { do: 'start', ours: 6, mounts: [] },
      { do: 'monitor', ours: 6 },
      { do: 'stop', ours: 0, stock: 6 },
    ],
  },
  {
    what: 'Filesystem#21,22: no directory',
    prepare: async (s) => ({ device: await s.disk('ext4'), directory: '', fstype: 'ext4' }),
    steps: [
      { do: 'start', ours: 6 },
      { do: 'probe', ours: 7 },
      { do: 'monitor', ours: 6, stock: 7 },
      { do: 'stop', ours: 0 },
    ],
  },
  {
    what: 'Filesystem#23: no directory of an NFS mount',
    prepare: async () => ({ device: 's:/e', directory: '', fstype: 'nfs' }),
    steps: [
      { do: 'start', ours: 6 },
      { do: 'stop', ours: 0, stock: 6 },
    ],
  },
  {
    what: 'Filesystem#13: an action that nobody knows',
    prepare: onDisk('ext4'),
    steps: [{ do: 'no_cmd', ours: 3, mounts: [] }],
  },
];

testParity(rows);
