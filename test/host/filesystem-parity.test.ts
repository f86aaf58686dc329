import { existsSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSandbox, recurring, type Sandbox } from './filesystem-sandbox.ts';

// The same state, the same actions, for our agent and for the stock one (resource-agents 4.12). Where the codes differ the
// difference is deliberate: docs/differences/Filesystem.md has a row for it.

type Params = { readonly [name: string]: string };
type Step = {
  readonly do: 'start' | 'stop' | 'monitor' | 'probe' | 'validate-all';
  readonly with?: { readonly [name: string]: string | number };
  readonly before?: (s: Sandbox, params: Params) => Promise<unknown> | unknown;
  readonly ours: number;
  /** Only where it is another one. */
  readonly stock?: number;
  /** Mount points below the sandbox afterwards, in any order; how the stock agent leaves them where that differs. */
  readonly mounts?: readonly string[];
  readonly stockMounts?: readonly string[];
};
type Row = {
  readonly what: string;
  readonly prepare: (s: Sandbox, dir: string) => Promise<Params>;
  readonly steps: readonly Step[];
};

const m = 'm';
const onDisk =
  (type: 'ext2' | 'ext4' | 'xfs' | 'btrfs') =>
  async (s: Sandbox, dir: string): Promise<Params> => ({
    device: await s.disk(type),
    directory: `${dir}/m`,
    fstype: type,
  });
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
const sourceIsWritable = async (s: Sandbox, { device }: Params) => s.run('touch', `${device}/written`);
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
      { do: 'stop', ours: 0, stock: 1, mounts: ['mx1'] },
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
    what: 'overlay',
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
    prepare: async (s, dir) => {
      const [a, b] = [await s.disk('ext4'), await s.disk('ext4')];
      const link = `/dev/tsha-lv-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
      await s.run('cp', '-a', a, link);
      await s.run('cp', '-a', b, `${link}-2`);
      mkdirSync(`${dir}/other`);
      await s.run('mount', `${link}-2`, `${dir}/other`);
      return { device: link, directory: `${dir}/m`, fstype: 'ext4' };
    },
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
    what: 'Filesystem#98: clone of a local filesystem',
    prepare: onDisk('ext4'),
    steps: [
      { do: 'start', with: { meta_clone_max: 2 }, ours: 6, mounts: [] },
      { do: 'start', with: { meta_clone_max: 2, options: 'ro' }, ours: 6, mounts: [] },
      { do: 'start', with: { meta_clone_max: 2, force_clones: 'true' }, ours: 0, mounts: [m] },
      { do: 'stop', ours: 0, mounts: [] },
    ],
  },
];

const agents = existsSync('/usr/lib/ocf/resource.d/heartbeat/Filesystem')
  ? (['ours', 'stock'] as const)
  : (['ours'] as const);
test('the stock agent is installed: package resource-agents', () => expect(agents).toHaveLength(2));

describe.each(agents)('%s', (agent) => {
  let sandbox: Sandbox;
  let count = 0;
  beforeAll(async () => {
    sandbox = await openSandbox();
  });
  afterAll(() => sandbox.close());

  test.each(rows.map((row) => [row.what, row] as const))('%s', async (_what, { prepare, steps }) => {
    const dir = join(sandbox.folder, `row${count++}`);
    mkdirSync(dir);
    const params = await prepare(sandbox, dir);
    try {
      for (const [at, step] of steps.entries()) {
        await step.before?.(sandbox, params);
        const action = step.do === 'probe' ? 'monitor' : step.do;
        const answer = await sandbox[agent](action, {
          ...params,
          ...(step.do === 'monitor' ? recurring : {}),
          ...step.with,
        });
        const code = agent === 'stock' ? (step.stock ?? step.ours) : step.ours;
        expect(answer, `step ${at}: ${step.do} ${JSON.stringify(step.with ?? {})}`).toMatchObject({ code });
        if (agent === 'ours' && code !== 0 && step.do !== 'probe') expect(answer.reason).toBeTruthy();
        const left = (agent === 'stock' ? step.stockMounts : undefined) ?? step.mounts;
        if (left)
          expect(await mountedBelow(sandbox, dir), `after step ${at}: ${step.do}`).toEqual([...left].sort());
      }
      if (params['options']?.includes('bind')) await sourceIsWritable(sandbox, params);
    } finally {
      for (const target of (await mountedBelow(sandbox, dir)).toReversed())
        await sandbox.run('umount', '-l', `${dir}/${target}`).catch(() => undefined);
      await execa(
        'rm',
        ['-f', params['device']?.startsWith('/dev/tsha-') ? params['device'] : '', `${params['device']}-2`],
        { reject: false },
      );
    }
  });
});

async function mountedBelow(sandbox: Sandbox, dir: string): Promise<readonly string[]> {
  const table = await sandbox.run('findmnt', '-J', '-o', 'TARGET', '--list');
  const all = (JSON.parse(table) as { filesystems: readonly { target: string }[] }).filesystems;
  return all
    .map(({ target }) => target)
    .filter((target) => target.startsWith(`${dir}/`))
    .map((target) => target.slice(dir.length + 1))
    .sort();
}
