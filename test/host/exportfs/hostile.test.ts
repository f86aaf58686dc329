import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSandbox, type Sandbox } from './sandbox.ts';

// S23: somebody with root on a client can rename what is exported, and put a link in its place. The real exportfs, on a filesystem of
// its own: everything here is done in it as a client does it.

let box: Sandbox;
let disk = '';
beforeEach(async () => {
  box = await openSandbox();
  disk = box.directory('disk');
  const image = join(box.folder, 'image');
  await box.run('truncate', '-s', '16M', image);
  await box.run('mkfs.ext4', '-q', '-F', image);
  await box.run('mount', '-o', 'loop', image, disk);
  await box.run('mkdir', '-p', `${disk}/share/deep/etc`, `${disk}/other`);
});
afterEach(() => box.close());

const shell = (script: string) => box.run('sh', '-ec', script, 'sh', disk, box.folder);
const paramsOf = (directory: string) => ({
  clientspec: '*',
  options: 'rw,no_root_squash',
  directory,
  fsid: 105,
  rmtab_backup: 'none',
  meta_interval: 10_000,
});

test.each([
  ['to /', 'share', 'ln -s / "$1/share"', /share is a link to \/, which leads out/],
  ['to /etc', 'share', 'ln -s /etc "$1/share"', /share is a link to \/etc,/],
  ['upwards', 'share', 'ln -s ../../../../etc "$1/share"', /share is a link to \.\.\/\.\.\//],
  ['to a link that leads out', 'share', 'ln -s / "$1/out"; ln -s out "$1/share"', /out is a link to \/,/],
  ['to itself', 'share', 'ln -s share "$1/share"', /share is a link to share/],
  ['above the directory', 'share/etc', 'ln -s / "$1/share"', /share is a link to \//],
  ['to a name that nothing can have', 'share', `ln -s ${'x'.repeat(300)} "$1/share"`, /share is a link to x/],
])('S23: a client puts a link %s in its place: no start follows', async (_what, name, plant, reason) => {
  const params = paramsOf(`${disk}/${name}`);
  await shell('mkdir "$1/share/etc"');
  expect((await box.ours('start', params)).code).toBe(0);
  expect((await box.ours('stop', params)).code).toBe(0);
  await shell(`mv "$1/share" "$1/aside"; ${plant}`);
  const failed = await box.ours('start', params);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(reason);
  expect(await box.exported()).toEqual([]);
  expect((await box.ours('monitor', params)).code).toBe(7);
  expect((await box.ours('stop', params)).code).toBe(0);
});

test('S23: while it is exported, neither a start nor a reload makes another export of it, and a stop takes it out', async () => {
  const params = paramsOf(`${disk}/share`);
  expect((await box.ours('start', params)).code).toBe(0);
  await shell('mv "$1/share" "$1/aside"; ln -s / "$1/share"');
  for (const action of ['reload-agent', 'start']) expect((await box.ours(action, params)).code).toBe(1);
  expect(await box.exported()).toEqual([`${disk}/share *`]);
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await box.exported()).toEqual([]);
});

test('S24: an exportfs of others follows it: the next monitor says so, and a stop takes out what came of it', async () => {
  const params = paramsOf(`${disk}/share`);
  expect((await box.ours('start', params)).code).toBe(0);
  await shell('mv "$1/share" "$1/aside"; ln -s /etc "$1/share"; exportfs -i 192.0.2.7:/usr/share');
  expect(await box.exported()).toEqual(['/etc *', '/usr/share 192.0.2.7']);
  for (const action of ['monitor', 'start']) expect((await box.ours(action, params)).code).toBe(1);
  await shell('rm "$1/share"; ln -s / "$1/share"');
  expect(await box.ours('monitor', params)).toMatchObject({
    code: 1,
    reason: expect.stringMatching(/^\/etc is exported in place of/),
  });
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await box.exported()).toEqual(['/usr/share 192.0.2.7']);
});

test.each([
  ['by its number', {}],
  ['by all of its options', { fsid: '' }],
])(
  'S24: the client takes the link away again: what an exportfs of others made of it is known %s',
  async (_how, more) => {
    const params = { ...paramsOf(`${disk}/share`), ...more };
    await shell('exportfs -i -o rw,no_root_squash "*:/usr/share"');
    expect((await box.ours('start', params)).code).toBe(0);
    await shell(
      'mv "$1/share" "$1/aside"; ln -s /etc "$1/share"; exportfs -i -o ro,fsid=77 192.0.2.7:/usr; rm "$1/share"; mv "$1/aside" "$1/share"',
    );
    const others = ['/usr 192.0.2.7', '/usr/share *'];
    expect(await box.exported()).toEqual(['/etc *', ...others]);
    expect(await box.ours('monitor', params)).toMatchObject({
      code: 1,
      reason: expect.stringMatching(/^\/etc is exported in place of/),
    });
    expect((await box.ours('stop', params)).code).toBe(0);
    expect(await box.exported()).toEqual(others);
  },
);

test('S24: no exportfs of ours follows it, also on behalf of another resource', async () => {
  const params = paramsOf(`${disk}/share`);
  const other = { ...paramsOf(`${disk}/other`), fsid: 7, OCF_RESOURCE_INSTANCE: 'other' };
  expect((await box.ours('start', params)).code).toBe(0);
  await shell('mv "$1/share" "$1/aside"; ln -s /etc "$1/share"');
  const started = await box.ours('start', other);
  expect(started).toMatchObject({ code: 0, stderr: expect.stringContaining('is taken out of etab') });
  expect(await box.exported()).toEqual([`${disk}/other *`]);
  expect((await box.ours('monitor', params)).code).toBe(7);
});

test('S23: the link comes after the look and before exportfs: the export is taken back', async () => {
  const params = paramsOf(`${disk}/share/deep/etc`);
  const script = join(box.folder, 'late');
  const real = await box.run('sh', '-c', 'cp /usr/sbin/exportfs "$0" && echo "$0"', `${script}.real`);
  const plant = `mkdir -p ${box.folder}/deep/etc; [ -L ${disk}/share ] || { mv ${disk}/share ${disk}/aside; ln -s ${box.folder} ${disk}/share; }`;
  writeFileSync(script, `#!/bin/sh\n${plant}\nexec ${real} "$@"\n`, { mode: 0o755 });
  await box.run('mount', '--bind', script, '/usr/sbin/exportfs');
  const failed = await box.ours('start', params);
  expect(failed.stderr).toContain('exporting');
  expect(failed).toMatchObject({ code: 1, reason: expect.stringContaining('share is a link to /tmp') });
  expect(await box.exported()).toEqual([]);
});

test('links that stay on the filesystem, and links of root, lead on', async () => {
  await shell('ln -s share/deep "$1/in"; ln -s "$1/other" "$1/whole"; ln -s "$1/in" "$2/own"');
  for (const [directory, path] of [
    [`${disk}/in`, `${disk}/share/deep`],
    [`${disk}/whole`, `${disk}/other`],
    [join(box.folder, 'own/etc'), `${disk}/share/deep/etc`],
  ] as const) {
    const params = paramsOf(directory);
    expect((await box.ours('start', params)).code).toBe(0);
    expect(await box.exported()).toEqual([`${path} *`]);
    expect((await box.ours('monitor', params)).code).toBe(0);
    expect((await box.ours('stop', params)).code).toBe(0);
  }
});

test('a link to what is mounted beside it, or a user’s link on this node’s own storage, is not followed', async () => {
  await shell(
    'mount -t tmpfs beside "$1/other"; ln -s other "$1/in"; ln -s "$1/share" "$2/own"; chown -h 1234 "$2/own"',
  );
  expect(await box.ours('start', paramsOf(`${disk}/in`))).toMatchObject({
    code: 1,
    reason: expect.stringContaining('a link leads to another mount'),
  });
  expect(await box.ours('start', paramsOf(join(box.folder, 'own')))).toMatchObject({
    code: 1,
    reason: expect.stringContaining('own is a link of user 1234'),
  });
  expect((await box.ours('start', paramsOf(`${disk}/other`))).code).toBe(0);
});
