import { mkdirSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Mount } from '../../../lib/host/storage/mounts.ts';
import { campaign, longestMs } from '../campaign.ts';
import { openSandbox, recurring, type Sandbox } from './sandbox.ts';

// Random situations on real devices, random actions, and the kernel's own mount table as the judge: start 0 means that ours is
// there, once; stop 0, that ours is nowhere; what is not ours never changes; the monitor says what the table says.

const kinds = ['disk', 'link', 'image', 'bind', 'tmpfs', 'nfs', 'btrfs'] as const;
const names = ['m', 'a b', 'm.1', 'm%d', 'm[x]', 'a\tb', 'a\nb', 'a\\040b', '-m', 'ä', 'm#', "m'"] as const;
const events = [
  'start',
  'start',
  'stop',
  'stop',
  'rec',
  'probe',
  'foreign on it',
  'foreign over it',
  'foreign gone',
  'nested',
  'link vanishes',
  'holder',
  'unmounted by hand',
  'renamed above',
  'cover above',
  'cover gone',
  'source renamed',
  'another in its place',
  'another elsewhere',
  'directory changed',
] as const;

type Situation = {
  readonly kind: (typeof kinds)[number];
  readonly name: (typeof names)[number];
  readonly foreign: 'disk' | 'tmpfs' | 'other directory';
  readonly shared: boolean;
  readonly events: readonly (typeof events)[number][];
};

const situations: fc.Arbitrary<Situation> = fc.record({
  kind: fc.constantFrom(...kinds),
  name: fc.constantFrom(...names),
  foreign: fc.constantFrom('disk', 'tmpfs', 'other directory'),
  shared: fc.boolean(),
  events: fc.array(fc.constantFrom(...events), { minLength: 2, maxLength: 6 }),
});

type Disks = { readonly [name in 'ours' | 'foreign' | 'second' | 'btrfs']: string };

let sandbox: Sandbox;
let disks: Disks;
let image: string;
beforeAll(async () => {
  sandbox = await openSandbox();
  disks = {
    ours: await sandbox.disk('ext4'),
    foreign: await sandbox.disk('ext4'),
    second: await sandbox.disk('ext4'),
    btrfs: await sandbox.disk('btrfs'),
  };
  image = await sandbox.image('ext4');
  const top = join(sandbox.folder, 'top');
  mkdirSync(top);
  await sandbox.run('mount', disks.btrfs, top);
  for (const name of ['A', 'B']) await sandbox.run('btrfs', 'subvolume', 'create', `${top}/${name}`);
  await sandbox.run('umount', top);
}, 120_000);
afterAll(() => sandbox.close(), 60_000);

let count = 0;

/** One situation, with what the test itself knows of each mount: who made it. */
class World {
  readonly base = join(sandbox.folder, `w${count++}`);
  readonly link = `/dev/tsha-campaign-${process.pid}-${count}`;
  readonly above: string;
  readonly directory: string;
  readonly params: { readonly [name: string]: string | number };
  /** Ids of mounts that somebody else made; `ours` counts by what it shows. */
  readonly others = new Set<number>();
  readonly ends: (() => Promise<void>)[] = [];
  /** Ids of mounts that our starts made: they stay ours under any path. */
  readonly made = new Set<number>();
  /** Of `others`, those of the disk that is asked for: a stop takes along what it has elsewhere once it runs. */
  readonly kin = new Set<number>();
  renamed = 0;
  hasSource = true;
  /** Ours has been recognised once, so that a vanished link decides nothing. */
  isKnown = false;
  hasLink = true;
  readonly situation: Situation;

  constructor(situation: Situation) {
    this.situation = situation;
    this.above = `${this.base}/above`;
    this.directory = `${this.above}/${situation.name}`;
    this.params = {
      OCF_RESOURCE_INSTANCE: `w${count}`,
      directory: this.directory,
      meta_timeout: 20_000,
      ...this.source(),
    };
  }

  private source() {
    switch (this.situation.kind) {
      case 'disk':
        return { device: disks.ours, fstype: 'ext4' };
      case 'link':
        return { device: this.link, fstype: 'ext4' };
      case 'image':
        return { device: image, fstype: 'ext4', options: 'loop' };
      case 'bind':
        return { device: `${this.base}/src`, fstype: 'none', options: 'bind' };
      case 'tmpfs':
        return { device: 'word', fstype: 'tmpfs' };
      case 'nfs':
        return { device: 'server:/export', fstype: 'nfs' };
      case 'btrfs':
        return { device: disks.btrfs, fstype: 'btrfs', options: 'subvol=A' };
    }
  }

  async open(): Promise<void> {
    mkdirSync(this.base);
    await sandbox.run('mount', '-t', 'tmpfs', 'base', this.base);
    if (this.situation.shared) await sandbox.run('mount', '--make-shared', this.base);
    await sandbox.run('mkdir', '-p', '--', `${this.base}/src`, `${this.base}/other`, this.directory);
    symlinkSync(disks.ours, this.link);
  }

  async close(): Promise<void> {
    for (const end of this.ends) await end();
    if (this.cover) await sandbox.run('umount', '-R', '-l', this.above); // or what it hides would stay
    await sandbox.run('umount', '-R', '-l', this.base);
    if (this.hasLink) unlinkSync(this.link);
    rmSync(this.base, { recursive: true });
  }

  get table(): readonly Mount[] {
    return sandbox.mounts(this.base);
  }
  get on(): readonly Mount[] {
    return this.table.filter(({ target }) => target === this.directory);
  }
  /** By whom it was made: whatever else is on the directory is ours. */
  get oursOn(): readonly Mount[] {
    return this.on.filter(({ id }) => !this.others.has(id));
  }
  /** The uppermost: what is mounted over another has it as its parent. */
  get top(): Mount | undefined {
    return this.on.find(({ id }) => !this.on.some(({ parent }) => parent === id));
  }

  /** What somebody has mounted over the directory above ours. */
  get cover(): Mount | undefined {
    return this.table.find(({ target }) => target === this.above);
  }
  /** Of ours on the directory, what the cover hides. */
  get hidden(): boolean {
    const { cover, oursOn } = this;
    return cover !== undefined && oursOn.some(({ parent }) => parent !== cover.id);
  }
  /** Ours under another path, for a directory above it was renamed. */
  get moved(): readonly Mount[] {
    return this.table.filter(
      ({ id, target }) => this.made.has(id) && !this.others.has(id) && target !== this.directory,
    );
  }
  /** The kernel gives the number of a mount that has gone to the next one. */
  forgetGone(): void {
    const there = new Set(this.table.map(({ id }) => id));
    for (const ids of [this.others, this.made, this.kin])
      for (const id of ids) if (!there.has(id)) ids.delete(id);
  }

  async mountForeign(): Promise<void> {
    const { foreign } = this.situation;
    // A tmpfs on the directory is the resource where a tmpfs was asked for.
    const kind = foreign === 'tmpfs' && this.situation.kind === 'tmpfs' ? 'disk' : foreign;
    const before = new Set(this.table.map(({ id }) => id));
    const argv: readonly string[] = {
      disk: [disks.foreign],
      tmpfs: ['-t', 'tmpfs', 'x'],
      'other directory': ['--bind', `${this.base}/other`],
    }[kind];
    await sandbox.run('mount', ...argv, this.directory);
    for (const { id } of this.table) if (!before.has(id)) this.others.add(id);
  }
}

/**
 * By hand: ours goes, and another tree of the same filesystem takes its place, or the same one another. The new mount has the id of the
 * old one, unless another process on this machine was faster.
 */
async function replaceOurs(world: World, where: 'here' | 'elsewhere'): Promise<void> {
  const { directory, base, situation } = world;
  const { kind, name } = situation;
  if (kind === 'nfs' || (kind === 'tmpfs' && where === 'here')) return;
  await sandbox.run('umount', '-c', '-R', directory).catch(() => undefined);
  if (world.on.length > 0) return;
  world.forgetGone();
  const target = where === 'here' ? directory : `${base}/elsewhere/${name}`;
  const options = kind === 'image' ? ['-o', 'loop'] : kind === 'btrfs' ? ['-o', 'subvol=A'] : [];
  const source = { disk: disks.ours, link: disks.ours, image, btrfs: disks.btrfs }[kind as 'disk'];
  await sandbox.run('mkdir', '-p', '--', target, `${base}/whole`);
  if (kind === 'bind') await sandbox.run('mount', '--bind', `${base}/other`, target);
  else if (kind === 'tmpfs') await sandbox.run('mount', '-t', 'tmpfs', 'word', target);
  else if (kind === 'btrfs' && where === 'here') await sandbox.run('mount', '-o', 'subvol=B', source, target);
  else if (where === 'elsewhere') await sandbox.run('mount', ...options, source, target);
  else {
    await sandbox.run('mount', ...options, source, `${base}/whole`);
    await sandbox.run('mkdir', '-p', `${base}/whole/part`);
    await sandbox.run('mount', '--bind', `${base}/whole/part`, target);
    await sandbox.run('umount', '-c', `${base}/whole`);
  }
  for (const { id, target: on } of world.table)
    if (on === target) {
      world.others.add(id);
      if (source !== undefined) world.kin.add(id);
    }
}

/** What somebody does to the directory by its path, which leads to another place below a cover. */
const onThePath: ReadonlySet<string> = new Set([
  'foreign on it',
  'foreign over it',
  'foreign gone',
  'unmounted by hand',
  'another in its place',
  'another elsewhere',
  'nested',
  'holder',
]);

async function act(world: World, event: (typeof events)[number]): Promise<void> {
  const { directory, params, others, above, cover, base } = world;
  world.forgetGone();
  const top = world.top;
  const isOurs = top !== undefined && !others.has(top.id);
  if (cover && onThePath.has(event)) return;
  switch (event) {
    case 'renamed above':
      if (cover) return;
      await sandbox.run('mv', '--', above, `${base}/above-${++world.renamed}`);
      await sandbox.run('mkdir', '-p', '--', directory);
      return;
    case 'cover above':
      if (cover || (top && !isOurs)) return;
      await sandbox.run('mount', '-t', 'tmpfs', 'cover', above);
      if (world.cover) others.add(world.cover.id);
      return;
    case 'cover gone':
      if (cover && !world.table.some(({ parent }) => parent === cover.id))
        await sandbox.run('umount', '-c', above);
      return;
    case 'source renamed':
      if (!world.hasSource) return;
      world.hasSource = false;
      await sandbox.run('mv', '--', `${base}/src`, `${base}/src-before`);
      return;
    case 'foreign on it':
      if (!top) await world.mountForeign();
      return;
    case 'foreign over it':
      if (isOurs) await world.mountForeign();
      return;
    case 'foreign gone':
      if (top && !isOurs) await sandbox.run('umount', '-c', '-l', directory);
      return;
    case 'unmounted by hand':
      if (isOurs) await sandbox.run('umount', '-c', '-R', directory).catch(() => undefined);
      return;
    case 'another in its place':
      if (isOurs) await replaceOurs(world, 'here');
      return;
    case 'another elsewhere':
      if (isOurs) await replaceOurs(world, 'elsewhere');
      return;
    case 'directory changed':
      if (!isOurs || cover || world.on.length > 1) return;
      for (const action of ['monitor', 'start'])
        expect(
          await sandbox.ours(action, { ...params, ...recurring, directory: `${base}/changed` }),
          action,
        ).toMatchObject({ code: 1, reason: expect.stringContaining('not on') });
      expect(world.table.filter(({ target }) => target === `${base}/changed`)).toEqual([]);
      return;
    case 'nested':
      if (!isOurs || world.situation.kind === 'bind') return;
      await sandbox.run('mkdir', '-p', '--', `${directory}/below`);
      await sandbox.run('mount', disks.second, `${directory}/below`).catch(() => undefined);
      return;
    case 'link vanishes':
      if (world.hasLink) unlinkSync(world.link);
      world.hasLink = false;
      return;
    case 'holder': {
      if (!isOurs) return;
      const { end } = await sandbox.holder(
        `cd -- "${directory.replace(/["\\$`]/g, '\\$&')}" && echo && exec sleep 60`,
      );
      world.ends.push(end);
      return;
    }
    case 'start':
      if (world.table.some(({ id, target }) => world.kin.has(id) && target !== directory)) return;
      return judgeAction(world, event, params);
    default:
      return judgeAction(world, event, params);
  }
}

async function judgeAction(
  world: World,
  event: 'start' | 'stop' | 'rec' | 'probe',
  params: World['params'],
): Promise<void> {
  const { kind } = world.situation;
  const before = world.table.filter(({ id }) => world.others.has(id));
  const { top, oursOn, hidden, moved } = world;
  const isMonitor = event === 'rec' || event === 'probe';
  const {
    code,
    reason = '',
    stderr,
  } = await sandbox.ours(isMonitor ? 'monitor' : event, {
    ...params,
    ...(event === 'rec' ? recurring : {}),
  });
  const said = `${event} ${code} ${reason}\n${stderr}`;
  const after = world.table;
  expect(
    after.filter(({ id }) => world.others.has(id)).map(({ id }) => id),
    said,
  ).toEqual(before.map(({ id }) => id));
  const isThere = (kind !== 'link' || world.hasLink) && (kind !== 'bind' || world.hasSource);
  // Nobody could know what a name led to that vanished before the first look.
  const mayBeUndecided = !isThere && !world.isKnown;
  const isOursOn = top !== undefined && !world.others.has(top.id);
  const state = hidden
    ? 'covered'
    : isOursOn
      ? 'ours'
      : oursOn.length > 0
        ? 'covered'
        : moved.length > 0
          ? 'moved'
          : top
            ? 'foreign'
            : 'absent';
  if (event === 'start') {
    if (code === 0)
      expect([world.oursOn.length, world.others.has(world.top?.id ?? 0)], said).toEqual([1, false]);
    else expect(world.oursOn.length, said).toBe(oursOn.length);
    if (kind !== 'nfs' && isThere) expect(code, said).toBe(state === 'absent' || state === 'ours' ? 0 : 1);
    if (code === 0) for (const { id } of world.oursOn) world.made.add(id);
  } else if (event === 'stop') {
    if (code === 0) expect([...world.oursOn, ...world.moved], said).toEqual([]);
    if (!mayBeUndecided) expect(code, said).toBe(state === 'covered' ? 1 : 0);
  } else {
    const right = { absent: 7, ours: 0, covered: 1, moved: 1, foreign: event === 'probe' ? 7 : 1 }[state];
    if (!(mayBeUndecided && code === 1)) expect(code, said).toBe(right);
  }
  if (isThere && (event === 'start' || state !== 'absent')) world.isKnown = true;
}

test('the kernel agrees', { timeout: longestMs }, () =>
  campaign({
    file: 'test/host/Filesystem/campaign.test.ts',
    situations,
    runs: 100,
    judge: async (situation) => {
      const world = new World(situation);
      await world.open();
      try {
        for (const event of situation.events) await act(world, event);
      } finally {
        await world.close();
      }
    },
  }),
);
