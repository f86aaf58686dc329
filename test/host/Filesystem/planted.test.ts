import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freshDirectory, openSandbox, type Sandbox } from './sandbox.ts';

// S25: the directory, or what is bound or looped there, lies on a filesystem that somebody with root on a client writes to. A link of
// his would choose what root mounts, and over what. Everything here is done to the filesystem as a client does it.

let sandbox: Sandbox;
let shared = '';
let outside = '';
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

/** An exported filesystem, and a directory of this machine's own beside it. */
beforeEach(async () => {
  const device = await sandbox.disk('ext4');
  [shared, outside] = [freshDirectory(sandbox), freshDirectory(sandbox)];
  await sandbox.run('mkdir', '-p', shared, outside);
  await sandbox.run('mount', device, shared);
  await client('mkdir -p "$1/deep/place" "$1/deep/tree/inner" "$1/other"; echo mine > "$2/secret"');
});

const client = (script: string) => sandbox.run('sh', '-ec', script, 'sh', shared, outside);

type Resource = {
  readonly device: string;
  readonly directory: string;
  readonly fstype?: string;
  readonly options?: string;
};
const nested = async (): Promise<Resource> => ({
  device: await sandbox.disk('ext4'),
  directory: join(shared, 'deep/place'),
  fstype: 'ext4',
});
const bound = async (options = 'bind'): Promise<Resource> => ({
  device: join(shared, 'deep/tree'),
  directory: freshDirectory(sandbox),
  options,
});
const image = async (options = 'loop'): Promise<Resource> => {
  await client('truncate -s 16M "$1/deep/image"; mkfs.ext4 -q -F "$1/deep/image"');
  return { device: join(shared, 'deep/image'), directory: freshDirectory(sandbox), fstype: 'ext4', options };
};
const both = async (): Promise<Resource> => ({
  device: join(shared, 'deep/tree'),
  directory: join(shared, 'deep/place'),
  options: 'bind,ro,nosuid',
});

test.each<[string, () => Promise<Resource>, string, RegExp]>([
  ['the directory', nested, 'rmdir "$1/deep/place"; ln -s "$2" "$1/deep/place"', /deep\/place is a link to/],
  ['above the directory', nested, 'mv "$1/deep" "$1/old"; ln -s / "$1/deep"', /deep is a link to \/,/],
  [
    'the directory, upwards',
    nested,
    'rmdir "$1/deep/place"; ln -s ../../.. "$1/deep/place"',
    /is a link to \.\./,
  ],
  [
    'the directory, to itself',
    nested,
    'rmdir "$1/deep/place"; ln -s place "$1/deep/place"',
    /is a link to place/,
  ],
  [
    'the source of a bind mount',
    bound,
    'mv "$1/deep/tree" "$1/old"; ln -s "$2" "$1/deep/tree"',
    /tree is a link to/,
  ],
  ['above it', bound, 'mv "$1/deep" "$1/old"; ln -s /etc "$1/deep"', /deep is a link to \/etc/],
  ['the source, of both', both, 'mv "$1/deep/tree" "$1/old"; ln -s "$2" "$1/deep/tree"', /tree is a link to/],
  ['the directory, of both', both, 'rmdir "$1/deep/place"; ln -s "$2" "$1/deep/place"', /place is a link to/],
  [
    'an image',
    async () => ({ device: join(shared, 'deep/image'), directory: freshDirectory(sandbox), options: 'loop' }),
    'truncate -s 32M "$2/image"; mkfs.ext4 -q -F "$2/image"; ln -s "$2/image" "$1/deep/image"',
    /deep\/image is a link to/,
  ],
  [
    'an image, by a node of the disk itself',
    async () => ({ device: join(shared, 'deep/image'), directory: freshDirectory(sandbox), options: 'loop' }),
    'cp -a "$(findmnt -no SOURCE "$1")" "$1/deep/image"',
    /deep\/image is a device, and not a file/,
  ],
])(
  'S25: a client’s link in the place of %s: start 1, nothing mounted, monitor 7, stop 0',
  async (_what, make, plant, reason) => {
    const resource = await make();
    await client(plant);
    const before = await sandbox.mounted();
    expect(await sandbox.ours('start', resource)).toMatchObject({
      code: 1,
      reason: expect.stringMatching(reason),
    });
    expect(await sandbox.ours('monitor', resource)).toMatchObject({ code: 7 });
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect(await sandbox.mounted()).toEqual(before);
  },
);

const innocent: readonly (readonly [string, () => Promise<Resource>, string])[] = [
  ['a disk', nested, 'true'],
  ['a disk, on a directory that is not there yet', nested, 'rmdir "$1/deep/place"'],
  ['a disk, through a link that stays below', nested, 'mv "$1/deep" "$1/real"; ln -s real "$1/deep"'],
  ['a bind mount', bound, 'true'],
  [
    'a bind mount, of a link that stays below',
    bound,
    'mv "$1/deep/tree" "$1/real"; ln -s ../real "$1/deep/tree"',
  ],
  ['a bind mount with options', () => bound('bind,ro,noexec'), 'true'],
  ['a bind mount from and to there, with options', both, 'true'],
  ['an image', image, 'true'],
  [
    'an image, through a link that stays below, with options',
    () => image('loop,noexec'),
    'mv "$1/deep" "$1/real"; ln -s real "$1/deep"',
  ],
  ['a bind mount with all below', () => bound('rbind,private'), 'true'],
];

const attach = join(import.meta.dirname, 'attach.py');

// As mount(8) attaches it, whichever this machine has: by mount(2), or by move_mount(2) since util-linux 2.39.
describe.each(['mount(2)', 'move_mount(2)'] as const)('by %s', (call) => {
  let path: { readonly PATH?: string } = {};
  beforeAll(async () => {
    if (call === 'mount(2)') return;
    const bin = join(sandbox.folder, 'bin');
    await sandbox.run('mkdir', bin);
    await sandbox.run(
      'sh',
      '-ec',
      `printf '#!/bin/sh\\nexec python3 "%s" "$@"\\n' "$1" > "$2"; chmod 755 "$2"`,
      'sh',
      attach,
      join(bin, 'mount'),
    );
    path = { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` };
  });

  test.each(innocent)(
    'what lies there and leads nowhere else is mounted as it was asked for: %s',
    async (_what, make, prepare) => {
      const resource = await make();
      await client(prepare);
      const before = await sandbox.mounted();
      expect(await sandbox.ours('start', { ...resource, ...path })).toMatchObject({ code: 0 });
      expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
      expect(await sandbox.ours('monitor', resource)).toMatchObject({ code: 0 });
      const found = sandbox.mounts().find(({ target, source }) => !before.includes(`${target} ${source}`));
      for (const option of (resource.options ?? '').split(','))
        if (/^(ro|nosuid|noexec)$/.test(option)) expect(found?.options).toContain(option);
      expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
      expect(await sandbox.mounted()).toEqual(before);
    },
  );
});

test.each<[options: string, asked: readonly string[]]>([
  ['bind', []],
  ['bind,defaults', []],
  ['bind,_netdev,nofail,x-systemd.automount', []],
  ['bind,rw', []],
  ['bind,ro', ['ro']],
  ['bind,noatime', ['noatime']],
  ['rbind,private', []],
])(
  'S27: what is bound there from a mount without setuid, devices and programs has none either: %s',
  async (options, asked) => {
    const resource = { device: join(shared, 'deep/tree'), directory: join(shared, 'deep/place'), options };
    await sandbox.run('mount', '-o', 'remount,bind,nosuid,nodev,noexec', shared);
    expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
    const found = sandbox.mounts().find(({ target }) => target === resource.directory);
    expect(found?.options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec', ...asked]));
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  },
);

test('S25: a stop with move puts nothing where a client may put a link', async () => {
  const resource = { ...(await nested()), force_unmount: 'move' };
  expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
  expect(await sandbox.ours('stop', resource)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('others may put a link there'),
  });
});
