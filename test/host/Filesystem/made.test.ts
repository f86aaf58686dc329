import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDirectory, isAlive, isFree, openSandbox, type Sandbox } from './sandbox.ts';

// F12: what this resource has mounted stays its own until it is stopped, whatever becomes of the names by which it was found; and what
// only came to have such a name is nobody's but its owner's.

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

type Resource = { readonly [name: string]: string | number };
const recurring = { meta_interval: 10_000 };
const codes = async (resource: Resource, ...actions: readonly string[]) => {
  const all: (number | undefined)[] = [];
  for (const action of actions)
    all.push(
      (await sandbox.ours(action, action === 'monitor' ? { ...resource, ...recurring } : resource)).code,
    );
  return all;
};
const shell = (script: string, ...args: readonly string[]) => sandbox.run('sh', '-ec', script, 'sh', ...args);

/** A mounted filesystem with directories, and what is mounted by us somewhere. */
async function base(...directories: readonly string[]): Promise<string> {
  const place = freshDirectory(sandbox);
  await sandbox.run('mkdir', '-p', place);
  await sandbox.run('mount', await sandbox.disk('ext4'), place);
  for (const directory of directories) await sandbox.run('mkdir', '-p', join(place, directory));
  return place;
}
async function subvolumes(...names: readonly string[]): Promise<string> {
  const [device, top] = [await sandbox.disk('btrfs'), freshDirectory(sandbox)];
  await sandbox.run('mkdir', top);
  await sandbox.run('mount', device, top);
  for (const name of names) await sandbox.run('btrfs', 'subvolume', 'create', join(top, name));
  await sandbox.run('umount', top);
  return device;
}
const tmpfsOn = (directory: string, name: string) =>
  shell('mkdir -p "$1"; mount -t tmpfs "$2" "$1"; echo "$2" > "$1/data"', directory, name);
const lines = async (directory: string) =>
  (await sandbox.mounted()).filter((line) => line.startsWith(`${directory} `));

test.each(['on the root filesystem', 'on a filesystem of others'])(
  'F12: a directory above the mount point is renamed, %s: monitor 1, start 1, stop unmounts it where it is',
  async (where) => {
    const above = where.includes('root') ? freshDirectory(sandbox) : await base('a');
    const resource = { device: await sandbox.disk('ext4'), directory: join(above, 'a/sub'), fstype: 'ext4' };
    expect(await codes(resource, 'start', 'monitor')).toEqual([0, 0]);
    await shell('mv "$1/a" "$1/b"', above);
    expect(await codes(resource, 'monitor', 'start')).toEqual([1, 1]);
    await shell('mkdir -p "$1/a/sub"', above);
    expect(await codes(resource, 'monitor')).toEqual([1]);
    expect((await sandbox.ours('monitor', resource)).reason).toContain('a directory above it was renamed');
    expect(await codes(resource, 'stop', 'monitor')).toEqual([0, 7]);
    expect(isFree(resource.device)).toBe(true);
  },
);

test('F12: unmounted by hand and mounted elsewhere by hand: what is there is not ours', async () => {
  const resource = { device: await sandbox.disk('ext4'), directory: freshDirectory(sandbox), fstype: 'ext4' };
  const elsewhere = freshDirectory(sandbox);
  expect(await codes(resource, 'start')).toEqual([0]);
  await shell('mkdir "$3"; umount "$2"; mount "$1" "$3"', resource.device, resource.directory, elsewhere);
  expect(await codes(resource, 'monitor', 'stop')).toEqual([7, 0]);
  expect(sandbox.isMounted(elsewhere)).toBe(true);
});

/** As somebody does by hand: ours goes, and `mount` puts something on `$2`, with the id of ours unless another process was faster. */
const replace = (ours: string, mount: string, at: string, ...args: readonly string[]) =>
  shell(
    `id() { findmnt -no ID -M "$1"; }
     had=$(id "$1"); umount "$1"; mkdir -p "$2"; ${mount}
     for try in 1 2 3 4 5; do [ "$(id "$2")" = "$had" ] && break; umount "$2"; sleep 0.1; ${mount}; done`,
    ours,
    at,
    ...args,
  );

test.each<
  [string, () => Promise<Resource & { readonly directory: string }>, string, (place: string) => string]
>([
  [
    'another directory, bound',
    async () => ({
      device: join(await base('a', 'b'), 'a'),
      directory: freshDirectory(sandbox),
      options: 'bind',
    }),
    'mount --bind "$(dirname "$3")/b" "$2"',
    String,
  ],
  [
    'another subvolume',
    async () => ({
      device: await subvolumes('A', 'B'),
      directory: freshDirectory(sandbox),
      fstype: 'btrfs',
      options: 'subvol=A',
    }),
    'mount -o subvol=B "$3" "$2"',
    String,
  ],
  [
    'other layers',
    async () => {
      const place = await base('l1', 'l2', 'u', 'w');
      return {
        ...{ device: 'o', directory: freshDirectory(sandbox), fstype: 'overlay' },
        options: `lowerdir=${place}/l1,upperdir=${place}/u,workdir=${place}/w`,
      };
    },
    'mount -t overlay -o "$(echo "$4" | sed s/l1/l2/)" "$3" "$2"',
    String,
  ],
  [
    'one of its directories',
    async () => ({ device: await sandbox.disk('ext4'), directory: freshDirectory(sandbox), fstype: 'ext4' }),
    'mkdir -p "$2.n"; mountpoint -q "$2.n" || mount "$3" "$2.n"; mkdir -p "$2.n/sub"; mount --bind "$2.n/sub" "$2"',
    String,
  ],
  [
    'a tmpfs elsewhere',
    async () => ({ device: 'tmpfs', directory: freshDirectory(sandbox), fstype: 'tmpfs' }),
    'mount -t tmpfs tmpfs "$2"',
    (place) => `${place}-n`,
  ],
  [
    'another directory, bound elsewhere',
    async () => ({
      device: join(await base('a', 'b'), 'a'),
      directory: freshDirectory(sandbox),
      options: 'bind',
    }),
    'mount --bind "$(dirname "$3")/b" "$2"',
    (place) => `${place}-n`,
  ],
])(
  'F16: ours was unmounted by hand, %s is mounted then: that is not ours',
  async (_what, make, mount, where) => {
    const resource = await make();
    const at = where(resource.directory);
    const isThere = at === resource.directory;
    expect(await codes(resource, 'start')).toEqual([0]);
    await shell('rm "$1"/memory/tsha/Filesystem-*', sandbox.folder); // as if a monitor had found it
    expect(await codes(resource, 'monitor')).toEqual([0]);
    await replace(resource.directory, mount, at, String(resource['device']), String(resource['options']));
    const holder = await sandbox.holder(`cd ${at}; echo; exec sleep 3600`);
    expect(await codes(resource, 'monitor', 'stop')).toEqual([isThere ? 1 : 7, 0]);
    if (isThere) expect(await codes(resource, 'start')).toEqual([1]);
    expect([sandbox.isMounted(at), isAlive(holder.pid)]).toEqual([true, true]);
    await holder.end();
  },
);

test('F16: another resource binds a directory the moment that ours is unmounted: its mount stays', async () => {
  const place = await base('a', 'b');
  const resource = { device: join(place, 'a'), directory: freshDirectory(sandbox), options: 'bind' };
  const [at, bin] = [freshDirectory(sandbox), freshDirectory(sandbox)];
  await shell(
    `mkdir "$2" "$3"; printf '#!/bin/sh\\n/usr/bin/umount "$@" && { mountpoint -q %s || mount --bind %s %s; }\\n' "$2" "$1" "$2" > "$3/umount"; chmod 755 "$3/umount"`,
    join(place, 'b'),
    at,
    bin,
  );
  expect(await codes(resource, 'start')).toEqual([0]);
  const PATH = `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`;
  expect(await codes({ ...resource, PATH }, 'stop')).toEqual([0]);
  expect([sandbox.isMounted(resource.directory), sandbox.isMounted(at)]).toEqual([false, true]);
});

test('F17: the directory is another while it is mounted: 1 with both names, nothing is mounted there, stop unmounts it', async () => {
  const resource = { device: await sandbox.disk('ext4'), directory: freshDirectory(sandbox), fstype: 'ext4' };
  expect(await codes(resource, 'start', 'monitor')).toEqual([0, 0]);
  const changed = { ...resource, directory: freshDirectory(sandbox) };
  expect(await codes(changed, 'monitor', 'start')).toEqual([1, 1]);
  expect((await sandbox.ours('monitor', changed)).reason).toContain(
    `is on ${resource.directory}, not on ${changed.directory}`,
  );
  expect(await codes(changed, 'stop', 'start', 'monitor')).toEqual([0, 0, 0]);
  expect([sandbox.isMounted(resource.directory), sandbox.isMounted(changed.directory)]).toEqual([
    false,
    true,
  ]);
});

test('F12: while a stop insists, somebody puts a link in the place of a directory above: nothing else is unmounted', async () => {
  const above = await base('a');
  const victim = freshDirectory(sandbox);
  await tmpfsOn(join(victim, 'sub'), 'victim');
  const resource = { device: await sandbox.disk('ext4'), directory: join(above, 'a/sub'), fstype: 'ext4' };
  expect(await codes(resource, 'start')).toEqual([0]);
  const holder = await sandbox.holder(`exec 9> ${resource.directory}/held; echo; exec sleep 3600`);
  const stop = sandbox.ours('stop', { ...resource, force_unmount: 'false', meta_timeout: 60_000 });
  await shell('mv "$1/a" "$1/b"; ln -s "$2" "$1/a"', above, victim);
  await shell('until grep -q "$1/b/sub" /proc/self/mountinfo; do sleep 0.1; done', above);
  await holder.end();
  expect(await stop).toMatchObject({ code: 0 });
  expect(sandbox.isMounted(join(victim, 'sub'))).toBe(true);
  expect(isFree(resource.device)).toBe(true);
});

test('F13: something is mounted over the directory above: 1 at once with its name, nothing is written there, nobody ended', async () => {
  const above = freshDirectory(sandbox);
  const resource = { device: await sandbox.disk('ext4'), directory: join(above, 'sub'), fstype: 'ext4' };
  expect(await codes(resource, 'start')).toEqual([0]);
  const holder = await sandbox.holder(`cd ${resource.directory}; echo; exec sleep 3600`);
  await tmpfsOn(above, 'late');
  await sandbox.run('mkdir', join(above, 'sub'));
  for (const action of ['monitor', 'start', 'stop'])
    expect(await sandbox.ours(action, { ...resource, OCF_CHECK_LEVEL: 20 })).toMatchObject({
      code: 1,
      reason: expect.stringContaining(`late was mounted over ${above}: unmount that by hand`),
    });
  expect(await shell('find "$1" -type f', above)).toBe(join(above, 'data'));
  expect(isAlive(holder.pid)).toBe(true);
  await sandbox.run('umount', above);
  await holder.end();
  expect(await codes(resource, 'monitor', 'stop')).toEqual([0, 0]);
});

test.each([
  ['renamed', 'mv "$1/tree" "$1/other"', 0],
  ['renamed, and made anew', 'mv "$1/tree" "$1/other"; mkdir "$1/tree"', 0],
  ['removed', 'rmdir "$1/tree"', 1],
  ['removed, and made anew', 'rmdir "$1/tree"; mkdir "$1/tree"', 1],
] as const)('F12: the source of a bind mount was %s', async (_what, change, health) => {
  const place = await base('tree');
  const resource = { device: join(place, 'tree'), directory: freshDirectory(sandbox), options: 'bind' };
  expect(await codes(resource, 'start', 'monitor')).toEqual([0, 0]);
  await shell(change, place);
  expect(await codes(resource, 'monitor', 'stop', 'monitor')).toEqual([health, 0, 7]);
  expect(sandbox.isMounted(resource.directory)).toBe(false);
});

test('F12: a number of a filesystem that is gone, which another one has by now, makes that none of ours', async () => {
  const [source, directory] = [freshDirectory(sandbox), freshDirectory(sandbox)];
  await tmpfsOn(source, 'one');
  const resource = { device: source, directory, options: 'bind' };
  expect(await codes(resource, 'start', 'stop')).toEqual([0, 0]);
  await sandbox.run('umount', source);
  await tmpfsOn(directory, 'somebodys');
  const holder = await sandbox.holder(`cd ${directory}; echo; exec sleep 3600`);
  expect(await codes(resource, 'start', 'stop')).toEqual([1, 0]);
  expect(await lines(directory)).toEqual([`${directory} somebodys`]);
  expect(isAlive(holder.pid)).toBe(true);
  await holder.end();
});

test.each(['mv "$1" "$1.old"', 'mv "$1" "$1.old"; cp "$1.old" "$1"', 'rm "$1"'])(
  'F12: an image by another name while it is mounted (%s): monitor 0, stop unmounts it',
  async (change) => {
    const device = await sandbox.image('ext4');
    const resource = { device, directory: freshDirectory(sandbox), fstype: 'ext4', options: 'loop' };
    expect(await codes(resource, 'start', 'monitor')).toEqual([0, 0]);
    await shell(change, device);
    expect(await codes(resource, 'monitor', 'stop', 'monitor')).toEqual([0, 0, 7]);
    expect(sandbox.isMounted(resource.directory)).toBe(false);
  },
);

test('F14: an image that somebody unmounted lazily is as active as a disk is: monitor 1, stop 1 until its user ends', async () => {
  const device = await sandbox.image('ext4');
  const resource = {
    device,
    directory: freshDirectory(sandbox),
    fstype: 'ext4',
    options: 'loop',
    force_unmount: 'false',
    meta_timeout: 6000,
  };
  expect(await codes(resource, 'start', 'monitor')).toEqual([0, 0]);
  const holder = await sandbox.holder(`exec 9> ${resource.directory}/held; echo; exec sleep 3600`);
  await sandbox.run('umount', '-l', resource.directory);
  expect(await codes(resource, 'monitor', 'stop')).toEqual([1, 1]);
  await holder.end();
  expect(await codes({ ...resource, meta_timeout: 60_000 }, 'stop', 'monitor')).toEqual([0, 7]);
});

test('F15: a helper that mounts as another type than it is asked for: ours, from its start on', async () => {
  const helper = '/sbin/mount.tshatest';
  const resource = {
    device: 'https://dav.example/share',
    directory: freshDirectory(sandbox),
    fstype: 'tshatest',
  };
  await shell(`printf '#!/bin/sh\\nexec mount -i -t tmpfs "$1" "$2"\\n' > "$1"; chmod 755 "$1"`, helper);
  try {
    expect(await codes(resource, 'start', 'monitor', 'start', 'stop', 'monitor')).toEqual([0, 0, 0, 0, 7]);
  } finally {
    await sandbox.run('rm', helper);
  }
  expect(sandbox.isMounted(resource.directory)).toBe(false);
});

test('F5: a bind mount of ours elsewhere that something was mounted over: 1 with both, and that stays', async () => {
  const resource = { device: await sandbox.disk('ext4'), directory: freshDirectory(sandbox), fstype: 'ext4' };
  const copy = freshDirectory(sandbox);
  expect(await codes(resource, 'start')).toEqual([0]);
  await shell('mkdir "$2"; mount --bind "$1" "$2"', resource.directory, copy);
  await tmpfsOn(copy, 'strangers');
  expect(await sandbox.ours('stop', resource)).toMatchObject({
    code: 1,
    reason: expect.stringContaining(`strangers was mounted over ${copy}`),
  });
  expect(await sandbox.run('cat', `${copy}/data`)).toBe('strangers');
  await sandbox.run('umount', copy);
  expect(await codes(resource, 'stop')).toEqual([0]);
  expect(isFree(resource.device)).toBe(true);
});

test('F1: one of a disk’s directories is not the disk', async () => {
  const [device, place] = [await sandbox.disk('ext4'), freshDirectory(sandbox)];
  const resource = { device, directory: freshDirectory(sandbox), fstype: 'ext4' };
  await shell(
    'mkdir -p "$2" "$3"; mount "$1" "$2"; mkdir "$2/sub"; mount --bind "$2/sub" "$3"',
    device,
    place,
    resource.directory,
  );
  expect(await codes(resource, 'monitor', 'start', 'stop')).toEqual([1, 1, 0]);
  expect(sandbox.isMounted(resource.directory)).toBe(true);
});

test('S25: a tmpfs whose directory is a client’s link to another tmpfs: that is none of ours', async () => {
  const place = await base('tmp');
  const others = freshDirectory(sandbox);
  await tmpfsOn(others, 'others');
  await shell('rmdir "$1/tmp"; ln -s "$2" "$1/tmp"', place, others);
  const holder = await sandbox.holder(`cd ${others}; echo; exec sleep 3600`);
  const resource = { device: 'tmpfs', directory: join(place, 'tmp'), fstype: 'tmpfs' };
  expect(await codes(resource, 'start', 'stop')).toEqual([1, 0]);
  expect(await lines(others)).toEqual([`${others} others`]);
  expect(isAlive(holder.pid)).toBe(true);
  await holder.end();
});
