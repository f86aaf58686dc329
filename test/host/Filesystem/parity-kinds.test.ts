import { mkdirSync } from 'node:fs';
import { onDisk, type Row, type Step, testParity } from './parity.ts';
import type { Sandbox } from './sandbox.ts';

// What can be mounted, and how: types, labels, images, options, check levels, clones.

const m = 'm';
const life: readonly Step[] = [
  { do: 'probe', ours: 7, mounts: [] },
  { do: 'start', ours: 0, mounts: [m] },
  { do: 'monitor', ours: 0, mounts: [m] },
  { do: 'monitor', with: { OCF_CHECK_LEVEL: 10 }, ours: 0, mounts: [m] },
  { do: 'start', ours: 0, mounts: [m] },
  { do: 'stop', ours: 0, mounts: [] },
  { do: 'monitor', ours: 7 },
  { do: 'stop', ours: 0, mounts: [] },
];
const startStop: readonly Step[] = [
  { do: 'start', ours: 0, mounts: [m] },
  { do: 'monitor', ours: 0 },
  { do: 'stop', ours: 0, mounts: [] },
];
const labelled = (spell: (value: string) => string) => async (s: Sandbox, dir: string) => {
  const label = `L${Math.random().toString(36).slice(2, 10)}`;
  await s.disk('ext4', '-L', label);
  return { device: spell(label), directory: `${dir}/m`, fstype: 'ext4' };
};
const bind = (options: string) => async (s: Sandbox, dir: string) => {
  const device = await s.disk('ext4');
  mkdirSync(`${dir}/source`);
  await s.run('mount', device, `${dir}/source`);
  await s.run('mkdir', `${dir}/source/d`);
  return { device: `${dir}/source/d`, directory: `${dir}/m`, fstype: 'none', options };
};
const forced = { meta_clone_max: 2, force_clones: 'true' };
/** An ext2 that was not unmounted cleanly, and worse. */
const damaged = (command: string) => async (s: Sandbox, dir: string) => {
  const params = await onDisk('ext2')(s, dir);
  for (const one of ['set_super_value state 0', command])
    await s.run('debugfs', '-w', '-R', one, params['device'] ?? '');
  return params;
};

const rows: readonly Row[] = [
  { what: 'Filesystem#1,4-9: ext4', prepare: onDisk('ext4'), steps: life },
  { what: 'xfs', prepare: onDisk('xfs'), steps: life },
  { what: 'btrfs', prepare: onDisk('btrfs'), steps: life },
  { what: 'Filesystem#72: ext2 is checked before', prepare: onDisk('ext2'), steps: life },
  {
    what: 'Filesystem#71: no fstype',
    prepare: async (s, dir) => ({ ...(await onDisk('ext4')(s, dir)), fstype: '' }),
    steps: startStop,
  },
  {
    what: 'Filesystem#2,24-26: no such device',
    prepare: async (_s, dir) => ({ device: '/dev/no_such_device', directory: `${dir}/m`, fstype: 'ext4' }),
    steps: [
      { do: 'probe', ours: 7 },
      { do: 'monitor', ours: 7 },
      { do: 'start', ours: 5, mounts: [] },
      { do: 'stop', ours: 0 },
      { do: 'validate-all', ours: 0 },
    ],
  },
  {
    what: 'Filesystem#68: no such type',
    prepare: async (s, dir) => ({ ...(await onDisk('ext4')(s, dir)), fstype: 'nosuchfs' }),
    steps: [{ do: 'start', ours: 5, mounts: [] }],
  },
  {
    what: 'Filesystem#70: another type than the one on disk',
    prepare: async (s, dir) => ({ ...(await onDisk('ext4')(s, dir)), fstype: 'xfs' }),
    steps: [{ do: 'start', ours: 1, mounts: [] }],
  },
  {
    what: 'Filesystem#103: overlay',
    prepare: async (s, dir) => {
      mkdirSync(`${dir}/parts`);
      await s.run('mount', '-t', 'tmpfs', 'x', `${dir}/parts`);
      await s.run('mkdir', `${dir}/parts/lower`, `${dir}/parts/upper`, `${dir}/parts/work`);
      const options = ['lower', 'upper', 'work'].map((part) => `${part}dir=${dir}/parts/${part}`).join(',');
      return { device: 'overlay', directory: `${dir}/m`, fstype: 'overlay', options };
    },
    steps: [
      { do: 'probe', ours: 7 },
      { do: 'start', ours: 0, mounts: [m, 'parts'] },
      { do: 'monitor', ours: 0 },
      { do: 'monitor', with: { OCF_CHECK_LEVEL: 20 }, ours: 0 },
      { do: 'start', with: { meta_clone_max: 2 }, ours: 0, mounts: [m, 'parts'] },
      { do: 'stop', ours: 0, mounts: ['parts'] },
    ],
  },
  {
    what: 'Filesystem#56,59: bind mount',
    prepare: bind('bind'),
    steps: [
      { do: 'start', ours: 0, mounts: ['source', m] },
      { do: 'monitor', ours: 0 },
      { do: 'monitor', with: { OCF_CHECK_LEVEL: 10 }, ours: 0 },
      { do: 'monitor', with: { OCF_CHECK_LEVEL: 20 }, ours: 0 },
      { do: 'stop', ours: 0, mounts: ['source'] },
    ],
  },
  {
    what: 'Filesystem#61,62: tmpfs, whatever the device is called',
    prepare: async (_s, dir) => ({
      device: 'word',
      directory: `${dir}/m`,
      fstype: 'tmpfs',
      options: 'size=1m',
    }),
    steps: [
      { do: 'start', ours: 0, mounts: [m] },
      { do: 'monitor', with: { device: 'another' }, ours: 0 },
      { do: 'monitor', with: { OCF_CHECK_LEVEL: 20 }, ours: 0 },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  { what: 'Filesystem#63,64: -L label', prepare: labelled((label) => `-L ${label}`), steps: life },
  { what: 'Filesystem#63: -Llabel', prepare: labelled((label) => `-L${label}`), steps: life },
  { what: 'Filesystem#63: --label=label', prepare: labelled((label) => `--label=${label}`), steps: life },
  {
    what: 'Filesystem#65: LABEL=label',
    prepare: labelled((label) => `LABEL=${label}`),
    steps: [
      { do: 'start', ours: 0, stock: 5, mounts: [m], stockMounts: [] },
      { do: 'monitor', ours: 0, stock: 7 },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#66: an image without the option loop',
    prepare: async (s, dir) => ({ device: await s.image('ext4'), directory: `${dir}/m`, fstype: 'ext4' }),
    steps: [{ do: 'start', ours: 5, mounts: [] }],
  },
  {
    what: 'Filesystem#67: an image with the option loop',
    prepare: async (s, dir) => ({
      device: await s.image('ext4'),
      directory: `${dir}/m`,
      fstype: 'ext4',
      options: 'loop',
    }),
    steps: [...life, { do: 'validate-all', ours: 0 }],
  },
  {
    what: 'Filesystem#10: depth 20',
    prepare: onDisk('xfs'),
    steps: [
      { do: 'start', ours: 0 },
      { do: 'monitor', with: { OCF_CHECK_LEVEL: 20 }, ours: 0 },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#12,109: remounted read-only',
    prepare: onDisk('ext4'),
    steps: [
      { do: 'start', ours: 0 },
      {
        do: 'monitor',
        before: (s, { directory = '' }) => s.run('mount', '-o', 'remount,ro', directory),
        ours: 1,
        stock: 0,
      },
      { do: 'monitor', with: { OCF_CHECK_LEVEL: 20 }, ours: 1 },
      { do: 'monitor', with: { options: 'ro' }, ours: 0 },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#98,99,100: clone of a local filesystem',
    prepare: onDisk('ext4'),
    steps: [
      { do: 'start', with: { meta_clone_max: 2 }, ours: 6, mounts: [] },
      { do: 'start', with: { meta_clone_max: 2, options: 'ro' }, ours: 6, mounts: [] },
      { do: 'start', with: { meta_clone_max: 2, force_clones: 'true' }, ours: 0, mounts: [m] },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#101: clone of another local filesystem, forced',
    prepare: onDisk('btrfs'),
    steps: [
      { do: 'start', with: forced, ours: 0, stock: 6, mounts: [m], stockMounts: [] },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#102: remount-ro is no ro',
    prepare: onDisk('btrfs'),
    steps: [
      {
        do: 'start',
        with: { meta_clone_max: 2, options: 'errors=remount-ro' },
        ours: 6,
        stock: 1,
        mounts: [],
      },
    ],
  },
  {
    what: 'Filesystem#73: fsck finds what it may not repair by itself',
    prepare: damaged('clri <2>'),
    steps: [
      { do: 'start', with: { run_fsck: 'force' }, ours: 1, mounts: [] },
      { do: 'start', with: { run_fsck: 'no' }, ours: 1, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#74: fsck repairs it',
    prepare: damaged('set_super_value free_blocks_count 1'),
    steps: [
      { do: 'start', with: { run_fsck: 'force' }, ours: 0, mounts: [m] },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
  {
    what: 'Filesystem#75: run_fsck=bogus',
    prepare: onDisk('ext4'),
    steps: [
      { do: 'start', with: { run_fsck: 'bogus' }, ours: 0, mounts: [m] },
      { do: 'stop', ours: 0 },
    ],
  },
  { what: 'vfat', needs: 'vfat', prepare: onDisk('vfat'), steps: life },
  {
    what: 'FUSE with a disk underneath',
    needs: 'fuse',
    prepare: async (s, dir) => ({
      ...(await onDisk('ext4')(s, dir)),
      fstype: 'fuse.fuse2fs',
      options: 'fakeroot',
    }),
    steps: [
      { do: 'probe', ours: 7 },
      { do: 'start', ours: 0, mounts: [m] },
      { do: 'monitor', ours: 0 },
      { do: 'monitor', with: { OCF_CHECK_LEVEL: 10 }, ours: 0 },
      { do: 'start', ours: 0, mounts: [m] },
      { do: 'stop', ours: 0, mounts: [] },
      { do: 'monitor', ours: 7 },
    ],
  },
];

testParity(rows);
