import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openSandbox, type Sandbox } from './sandbox.ts';

// exportfs is the judge: after start and reload-agent, etab holds what exportfs itself writes for these options where nothing was
// exported before.

let box: Sandbox;
beforeAll(async () => {
  box = await openSandbox();
});
afterEach(async () => box.write('/var/lib/nfs/etab', ''));
afterAll(() => box.close());

const etab = () => box.read('/var/lib/nfs/etab');
const given = (options: string, more = {}) => ({
  clientspec: '*',
  directory: box.directory('a'),
  rmtab_backup: 'none',
  options,
  ...more,
});

describe('N1: etab is that of a fresh export, whatever was there before', () => {
  const changes: readonly (readonly [from: string, to: string])[] = [
    ['rw', 'rw,anonuid=1001'],
    ['rw,anonuid=1001,anongid=1002', 'rw'],
    ['rw,anonuid=5', 'rw,anonuid=6'],
    ['rw,sec=sys', 'rw,sec=krb5p'],
    ['rw,sec=krb5p', 'rw'],
    ['rw,sec=sys:krb5', 'rw,sec=krb5'],
    ['sec=sys,rw,sec=krb5,ro', 'sec=krb5,ro,sec=krb5p,rw'],
    ['sec=sys,rw,no_root_squash,sec=krb5,rw', 'sec=sys,rw,root_squash,sec=krb5,rw'],
    ['sec=sys,rw,all_squash', 'sec=sys,rw'],
    ['rw,no_root_squash', 'rw'],
    ['rw,all_squash', 'ro,no_all_squash'],
    ['rw,async', 'rw,sync'],
    ['rw,insecure', 'rw'],
    ['rw,subtree_check', 'rw,no_subtree_check'],
    ['rw,no_wdelay,nohide,crossmnt', 'rw'],
    ['rw,no_acl,insecure_locks', 'rw,acl,secure_locks'],
    ['rw,no_auth_nlm', 'rw,auth_nlm'],
    ['rw,security_label', 'rw'],
    ['rw,pnfs', 'rw,no_pnfs'],
    ['rw,mp', 'rw'],
    ['rw,mountpoint=/srv', 'rw,mp'],
    ['rw,refer=/x@192.0.2.1', 'rw'],
    ['rw,replicas=/x@192.0.2.1', 'rw,refer=/y@192.0.2.2:/z@192.0.2.3'],
    ['rw,fsid=5', 'rw,fsid=6'],
    ['rw,fsid=5', 'rw'],
    ['fsid=root,rw', 'rw,fsid=0x10'],
    ['rw,fsid=7,fsid=8', 'fsid=8,fsid=7,rw'],
    ['rw', 'rw,fsid=4f838db1-1111-2222-3333-44445555666a,fsid=0'],
    ['ro,rw', 'rw,ro'],
    ['sync,async,sync', 'async,sync,async'],
    ['rw', ''],
  ];
  test.each(changes)('"%s" becomes "%s"', async (from, to) => {
    const argument = `*:${box.directory('a')}`;
    const fresh = await box.fresh([to, argument]);
    for (const action of ['start', 'reload-agent']) {
      await box.run('exportfs', '-i', '-o', from, argument);
      expect(await box.ours(action, given(to))).toMatchObject({ code: 0 });
      expect(await etab(), action).toBe(fresh);
    }
  });

  test('the fsid parameter, counted on, and sections: for each of several directories', async () => {
    const directory = `${box.directory('a')} ${box.directory('b')}`;
    const options = 'sec=sys,ro,sec=krb5,rw,anonuid=3';
    await box.ours('start', given('rw,all_squash', { directory, fsid: 20 }));
    expect((await box.ours('reload-agent', given(options, { directory, fsid: 20 }))).code).toBe(0);
    const [a, b] = [`*:${box.folder}/a`, `*:${box.folder}/b`];
    const expected = await box.fresh([`${options},fsid=20`, a], [`${options},fsid=21`, b]);
    expect((await etab()).split('\n').sort()).toEqual(expected.split('\n').sort());
  });

  test('started by the stock agent with other options', async () => {
    await box.write('/etc/exports', '');
    expect((await box.stock('start', given('rw,no_root_squash,anonuid=9', { fsid: 3 }))).code).toBe(0);
    expect((await box.ours('start', given('rw,sec=krb5i', { fsid: 3 }))).code).toBe(0);
    expect(await etab()).toBe(await box.fresh(['rw,sec=krb5i,fsid=3', `*:${box.folder}/a`]));
  });

  test('the exports of others stay as they are, to the byte', async () => {
    const other = ['rw,sec=krb5p,anonuid=77,mp', `10.0.0.0/24:${box.directory('a')}`] as const;
    await box.run('exportfs', '-i', '-o', ...other);
    const before = await etab();
    await box.ours('start', given('rw'));
    await box.ours('reload-agent', given('ro,all_squash'));
    expect(await etab()).toContain(before);
    expect((await box.ours('stop', given('ro,all_squash'))).code).toBe(0);
    expect(await etab()).toBe(before);
  });

  test('options that exportfs refuses change nothing, and are told', async () => {
    await box.ours('start', given('rw'));
    const before = await etab();
    const answer = await box.ours('reload-agent', given('rw,bogus'));
    expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining('unknown keyword "bogus"') });
    expect(await etab()).toBe(before);
  });

  test('somebody else changes them: the monitor says so once, whatever the option', async () => {
    const params = { ...given('rw'), meta_interval: 10000 };
    await box.ours('start', params);
    await box.run('exportfs', '-i', '-o', 'rw,anonuid=9', `*:${box.folder}/a`);
    const told = await box.ours('monitor', params);
    expect(told).toMatchObject({ code: 0, stderr: expect.stringContaining('anonuid=9, not anonuid=65534') });
    expect(await box.ours('monitor', params)).toMatchObject({ code: 0, stderr: '' });
  });

  test('a host that is called by another name now', async () => {
    const hosts = (name: string) =>
      writeFileSync(join(box.folder, 'hosts'), `127.0.0.1 localhost\n192.0.2.9 ${name} alias\n`);
    const params = given('rw', { clientspec: 'alias' });
    hosts('old.example.com');
    await box.ours('start', params);
    hosts('new.example.com alias');
    expect((await box.ours('start', given('ro', { clientspec: 'alias' }))).code).toBe(0);
    expect(await box.exported()).toEqual([`${box.folder}/a new.example.com`]);
    expect((await box.ours('stop', params)).code).toBe(0);
    expect(await box.exported()).toEqual([]);
  });
});

describe('N5: exportfs’ own words', () => {
  test.each(['start', 'reload-agent'])('%s for a host that has no address', async (action) => {
    const params = given('rw', { clientspec: 'nowhere.invalid' });
    const line = await box.fresh(['ro', `*:${box.directory('a')}`]);
    await box.write('/var/lib/nfs/etab', action === 'start' ? '' : line.replace('*', 'nowhere.invalid'));
    expect(await box.ours(action, params)).toMatchObject({
      code: 1,
      reason: expect.stringContaining('Failed to resolve nowhere.invalid'),
    });
  });
});
