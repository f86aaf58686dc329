import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSandbox, type Sandbox } from './sandbox.ts';

// N2: the state directory is reached by a link, and the storage behind it no longer answers.

let box: Sandbox;
beforeEach(async () => {
  box = await openSandbox();
});
afterEach(() => box.close());

/** Puts a link in the place of /var/lib/nfs, or of etab in it, that leads to a filesystem whose driver is silent. */
async function linkToSilence(what: 'directory' | 'etab'): Promise<void> {
  const silent = box.directory('silent');
  if (what === 'etab') await box.run('ln', '-sf', `${silent}/etab`, '/var/lib/nfs/etab');
  else {
    await box.run('umount', '/var/lib/nfs');
    await box.run('mount', '-t', 'tmpfs', 'lib', '/var/lib');
    await box.run('ln', '-s', `${silent}/nfs`, '/var/lib/nfs');
  }
  await box.silence(silent);
}

describe.each(['directory', 'etab'] as const)('N2: %s', (what) => {
  test.each(['monitor', 'start', 'stop', 'reload-agent'])(
    '%s ends by itself and says why',
    async (action) => {
      const params = {
        clientspec: '*',
        directory: box.directory('a'),
        meta_timeout: 15_000,
        meta_interval: 10000,
      };
      await linkToSilence(what);
      expect(await box.ours(action, params)).toMatchObject({
        code: 1,
        reason: expect.stringContaining('/var/lib/nfs/etab does not answer'),
      });
    },
  );
});

describe('started by the stock agent, and what etab calls it cannot be found out', () => {
  const told = { code: 1, reason: expect.stringMatching(/^cannot tell whether \S+, exported to/) };
  const given = { options: 'rw', rmtab_backup: 'none', meta_interval: 10000 };

  test('DNS is silent', async () => {
    const params = { ...given, clientspec: 'short', directory: box.directory('a') };
    await box.run('exportfs', '-i', '-o', 'rw', `short:${params.directory}`);
    const script = join(box.folder, 'silent');
    writeFileSync(script, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    await box.run('mount', '--bind', script, '/usr/bin/getent');
    expect(await box.ours('monitor', params)).toMatchObject(told);
    expect(await box.ours('stop', params)).toMatchObject(told);
    expect(await box.exported()).toEqual([`${params.directory} full.example.com`]);
    await box.run('umount', '/usr/bin/getent');
    expect(await box.ours('monitor', params)).toMatchObject({ code: 0 });
    expect(await box.ours('stop', params)).toMatchObject({ code: 0 });
    expect(await box.exported()).toEqual([]);
  });

  test('the directory leads over storage that is silent', async () => {
    const silent = box.directory('silent');
    const directory = box.directory('a');
    await box.run('exportfs', '-i', '-o', 'rw', `*:${directory}`);
    await box.silence(silent);
    const params = { ...given, clientspec: '*', directory: `${silent}/link` };
    expect(await box.ours('stop', params)).toMatchObject(told);
    expect(await box.ours('stop', { ...params, clientspec: '10.0.0.0/8' })).toMatchObject({ code: 0 });
    expect(await box.exported()).toEqual([`${directory} *`]);
  });
});

test('S24: another line of etab lies on storage that is silent: no start runs exportfs, which would follow it; a stop does without', async () => {
  const silent = box.directory('silent');
  const params = { clientspec: '*', directory: box.directory('a'), options: 'rw', rmtab_backup: 'none' };
  expect((await box.ours('start', params)).code).toBe(0);
  const ours = await box.read('/var/lib/nfs/etab');
  const theirs = ours.replace(`${params.directory}\t*`, `${silent}/share\t192.0.2.7`);
  await box.write('/var/lib/nfs/etab', `${ours}\n${theirs}\n`);
  await box.silence(silent);
  expect(await box.ours('start', params)).toMatchObject({
    code: 1,
    reason: expect.stringContaining(`${silent}/share`),
  });
  expect((await box.ours('monitor', params)).code).toBe(0);
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await box.exported()).toEqual([`${silent}/share 192.0.2.7`]);
});

test('F8: a directory that answers with an error is no reason to ban every node', async () => {
  const loop = join(box.folder, 'loop');
  symlinkSync(loop, loop);
  const answer = (directory: string) =>
    box.ours('start', { clientspec: '*', directory, rmtab_backup: 'none' });
  expect(await answer(loop)).toMatchObject({
    code: 1,
    reason: expect.stringContaining('Too many levels of symbolic links'),
  });
  expect(await answer(`${box.folder}/${'x'.repeat(300)}`)).toMatchObject({ code: 1 });
  expect(await answer(`${box.folder}/nothing`)).toMatchObject({ code: 6 });
  expect(await answer(join(box.folder, 'hosts', 'below'))).toMatchObject({ code: 6 });
  expect(await answer(join(box.folder, 'hosts'))).toMatchObject({ code: 5 });
});

test('F9: exports whose paths are no UTF-8, ours and another’s, survive a rewrite of etab', async () => {
  const odd = (byte: string) => `"$(printf '${box.folder}/odd\\${byte}')"`;
  const shell = (script: string) => box.run('sh', '-ec', script);
  mkdirSync(box.folder, { recursive: true });
  await shell(`mkdir ${odd('351')} ${odd('377')}; exportfs -i -o rw,fsid=1 "*:"${odd('377')}`);
  const bytes = async () =>
    (await box.run('od', '-An', '-c', '-v', '/var/lib/nfs/etab')).replace(/\s+/g, ' ');
  const before = await bytes();
  const env = `OCF_RESKEY_directory=${odd('351')} OCF_RESKEY_clientspec='*' OCF_RESKEY_rmtab_backup=none`;
  const call = (action: string) =>
    shell(
      `${env} OCF_RESOURCE_INSTANCE=odd HA_RSCTMP=${box.folder}/memory ${process.execPath} ${box.agent} ${action} >&2; echo $?`,
    );
  expect(await call('start')).toBe('0');
  expect(await shell(`grep -c . /var/lib/nfs/etab; exportfs -v | grep -ac ${odd('351')}`)).toBe('2\n1');
  expect(await call('monitor')).toBe('0');
  // exportfs that fails: etab is written without it
  await box.write(join(box.folder, 'broken'), '#!/bin/sh\nexit 1\n');
  await shell(`chmod +x ${box.folder}/broken; mount --bind ${box.folder}/broken /usr/sbin/exportfs`);
  expect(await call('stop')).toBe('0');
  expect(await bytes()).toBe(before);
  expect(readFileSync(join(box.folder, 'broken'), 'utf8')).toContain('exit 1');
});
