import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDirectory, isAlive, openSandbox, recurring, type Sandbox, startedOn } from './sandbox.ts';

// What a stop finds: stacked mounts, mounts that an earlier stop moved aside, links that lead elsewhere, odd names.

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const started = (type?: 'ext4' | 'xfs' | 'btrfs', more?: { readonly [name: string]: string }) =>
  startedOn(sandbox, type, more);

describe('stacked mounts', () => {
  test('Filesystem#39, D1: ours below a foreign one: never 0, and the foreign one stays', async () => {
    const resource = await started();
    const other = { ...resource, device: await sandbox.disk('ext4') };
    await sandbox.run('mount', other.device, resource.directory);
    expect(await sandbox.ours('monitor', resource)).toMatchObject({ code: 1 });
    expect(await sandbox.ours('stop', resource)).toMatchObject({
      code: 1,
      reason: expect.stringContaining(other.device),
    });
    expect(await sandbox.mounted()).toContain(`${resource.directory} ${other.device}`);
    expect(await sandbox.ours('stop', other)).toMatchObject({ code: 0 });
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect(sandbox.isMounted(resource.directory)).toBe(false);
  });

  test('ours mounted twice on one directory: stop unmounts both', async () => {
    const resource = await started();
    await sandbox.run('mount', '--bind', resource.directory, resource.directory);
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect(sandbox.isMounted(resource.directory)).toBe(false);
  });
});

describe('force_unmount=true,move', () => {
  const move = { force_unmount: 'true,move' };

  test('Filesystem#93,94, D6: the directory that a stop leaves changes no later answer', async () => {
    const resource = await started('ext4', move);
    for (let round = 0; round < 2; round++) {
      expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
      expect(await sandbox.ours('monitor', { ...resource, ...recurring })).toMatchObject({ code: 0 });
      expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
      expect(sandbox.isMounted(resource.directory)).toBe(false);
      expect(await sandbox.ours('monitor', resource)).toMatchObject({ code: 7 });
    }
  });

  test('Filesystem#95,96, D6: what a stop left aside is found, and unmounted by the next one', async () => {
    const resource = await started('ext4', move);
    const aside = join(sandbox.folder, `.${resource.directory.split('/').at(-1)}`);
    await sandbox.run('mkdir', aside);
    await sandbox.run('mount', '--move', resource.directory, aside);
    for (const params of [resource, { ...resource, ...recurring }, { ...resource, force_unmount: 'true' }])
      expect(await sandbox.ours('monitor', params)).toMatchObject({ code: 1 });
    expect(await sandbox.ours('start', resource)).toMatchObject({ code: 1 });
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect(sandbox.isMounted(aside)).toBe(false);
  });

  test('C9: programs that come back do not find it', async () => {
    const resource = await started('ext4', move);
    const m = resource.directory;
    // Each child holds the filesystem, and ignores TERM; the loop that starts them does not use it itself.
    const child = `trap "" TERM; cd ${m}/d || exit; while :; do sleep 0.2; done`;
    await sandbox.run('mkdir', `${m}/d`, `${m}/sub`);
    await sandbox.run('mount', '-t', 'tmpfs', 'x', `${m}/sub`);
    const rogue = await sandbox.holder(
      `echo; while :; do bash -c '${child}' || sleep 0.05; done >/dev/null 2>&1`,
    );
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({ code: 0, stderr: expect.stringContaining('SIGKILL') });
    expect([sandbox.isMounted(m), isAlive(rogue.pid)]).toEqual([false, true]);
    expect((await sandbox.mounted()).filter((line) => line.includes('/.m'))).toEqual([]);
  });

  test('Filesystem#97: below a shared parent it is unmounted in place', async () => {
    const parent = freshDirectory(sandbox);
    await sandbox.run('mkdir', parent);
    await sandbox.run('mount', '-t', 'tmpfs', 'x', parent);
    await sandbox.run('mount', '--make-shared', parent);
    const directory = `${parent}/m`;
    const resource = { device: await sandbox.disk('ext4'), directory, fstype: 'ext4', ...move };
    expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
    expect(await sandbox.ours('stop', resource)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('in place'),
    });
    expect(sandbox.isMounted(directory)).toBe(false);
  });
});

test('C14: the link of the mount point leads elsewhere since the start: stop still finds it', async () => {
  const link = freshDirectory(sandbox);
  await sandbox.run('mkdir', `${link}-a`, `${link}-b`);
  await sandbox.run('ln', '-s', `${link}-a`, link);
  const resource = { device: await sandbox.disk('ext4'), directory: link, fstype: 'ext4' };
  expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
  await sandbox.run('ln', '-sfn', `${link}-b`, link);
  expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  expect(sandbox.isMounted(`${link}-a`)).toBe(false);
});

test.each(['a\tb', 'a\nb', 'a\\b', 'a\\040b', "a'b", 'a"b', 'a$(b)', '-a', 'ä ü', 'a#b'])(
  'Filesystem#46, D5: a mount point named %j',
  async (name) => {
    const directory = `${freshDirectory(sandbox)}/${name}`;
    const resource = { device: await sandbox.disk('ext4'), directory, fstype: 'ext4', meta_timeout: 60_000 };
    expect(await sandbox.ours('start', resource)).toMatchObject({ code: 0 });
    expect(await sandbox.ours('monitor', { ...resource, ...recurring, OCF_CHECK_LEVEL: 20 })).toMatchObject({
      code: 0,
    });
    await sandbox.holder(
      `cd ${JSON.stringify(directory).replaceAll('$', '\\$').replaceAll('\\t', '\t').replaceAll('\\n', '\n')}; echo; exec sleep 3600`,
    );
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    const escaped = directory
      .replaceAll('\\', '\\134')
      .replaceAll(' ', '\\040')
      .replaceAll('\t', '\\011')
      .replaceAll('\n', '\\012')
      .replaceAll('#', '\\043');
    expect(await sandbox.run('cat', '/proc/self/mountinfo')).not.toContain(` ${escaped} `);
    expect(await sandbox.ours('monitor', resource)).toMatchObject({ code: 7 });
  },
);
