import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundleScript, declareCommonJs } from '../../../packaging/bundle.ts';
import { products } from '../../../packaging/products.ts';
import { openSandbox, type Sandbox } from './sandbox.ts';

// The real exportfs of nfs-utils, on a state directory of its own. What the kernel's NFS server does with it, the lab shows.

let box: Sandbox;
beforeEach(async () => {
  box = await openSandbox();
});
afterEach(() => box.close());

const recurring = { meta_interval: 10000 };
const plain = { clientspec: '*', options: 'rw', fsid: 105, rmtab_backup: 'none' };

describe('the stock agent and ours answer alike', () => {
  const rows: readonly (readonly [string, (b: Sandbox) => { [name: string]: string | number }])[] = [
    ['exportfs#1,5,6,7,9,10: one directory', (b) => ({ ...plain, directory: b.directory('a') })],
    [
      'exportfs#3: a UUID',
      (b) => ({ ...plain, directory: b.directory('a'), fsid: '4f838db111112222333344445555666a' }),
    ],
    [
      'exportfs#11,14,15,17: two directories',
      (b) => ({ ...plain, directory: `${b.directory('a')} ${b.directory('b')}` }),
    ],
    [
      'exportfs#13,25: two and a UUID',
      (b) => ({ ...plain, directory: `${b.directory('a')} ${b.directory('b')}`, fsid: 'x-y' }),
    ],
    ['exportfs#24: a comma in fsid', (b) => ({ ...plain, directory: b.directory('a'), fsid: '1,2' })],
    ['X12: a trailing slash', (b) => ({ ...plain, directory: `${b.directory('a')}/` })],
    ['exportfs#41: a network', (b) => ({ ...plain, directory: b.directory('a'), clientspec: '10.0.0.5/24' })],
    [
      'exportfs#41: a network with mask',
      (b) => ({ ...plain, directory: b.directory('a'), clientspec: '10.0.0.0/255.255.255.0' }),
    ],
    ['exportfs#33, X11: IPv6', (b) => ({ ...plain, directory: b.directory('a'), clientspec: '[fe80::1]' })],
    [
      'exportfs#33, X11: an IPv6 network',
      (b) => ({ ...plain, directory: b.directory('a'), clientspec: '[2001:db8::]/64' }),
    ],
    ['exportfs#37: a netgroup', (b) => ({ ...plain, directory: b.directory('a'), clientspec: '@grp' })],
    [
      'exportfs#37: a pattern',
      (b) => ({ ...plain, directory: b.directory('a'), clientspec: '*.example.com' }),
    ],
    ['a host', (b) => ({ ...plain, directory: b.directory('a'), clientspec: 'full.example.com' })],
    ['exportfs#51: unknown options', (b) => ({ ...plain, directory: b.directory('a'), options: 'rw,bogus' })],
    ['exportfs#32: a long path', (b) => ({ ...plain, directory: b.directory('a'.repeat(60)) })],
  ];
  test.each(rows)('%s', async (_what, params) => {
    const given = { ...params(box), ...recurring };
    // the error about /etc/exports is the stock agent's only: ours does not read it
    await box.write('/etc/exports', '');
    const life = ['validate-all', 'monitor', 'start', 'start', 'monitor', 'stop', 'stop'];
    const answers = async (agent: Sandbox['ours']) => {
      const codes: string[] = [];
      for (const action of life) {
        const { code } = await agent(action, given);
        codes.push(`${action} ${code} ${await box.read('/var/lib/nfs/etab')}`);
      }
      return codes;
    };
    const stock = await answers(box.stock);
    const ours = await answers(box.ours);
    // 4.12 looks for the directory in validate-all, later releases and ours do not
    const from = ours[0] === stock[0] ? 0 : 1;
    expect(ours.slice(from)).toEqual(stock.slice(from));
  });
});

describe('either agent takes over from the other', () => {
  test.each(['ours', 'stock'] as const)('%s started it', async (first) => {
    const [one, other] = first === 'ours' ? [box.ours, box.stock] : [box.stock, box.ours];
    const params = { ...plain, ...recurring, directory: `${box.directory('a')} ${box.directory('b')}` };
    await box.write('/etc/exports', '');
    expect((await one('start', params)).code).toBe(0);
    expect((await other('monitor', params)).code).toBe(0);
    expect((await other('start', params)).code).toBe(0);
    expect((await other('stop', params)).code).toBe(0);
    expect(await box.exported()).toEqual([]);
    expect((await one('monitor', params)).code).toBe(7);
  });
});

test('a monitor executes nothing, asks nobody and says nothing, even of a host', async () => {
  const params = { ...plain, directory: box.directory('a'), clientspec: 'short', ...recurring };
  expect((await box.ours('start', params)).code).toBe(0);
  expect(await box.exported()).toEqual([`${box.folder}/a full.example.com`]);
  await box.write('/etc/hosts', '');
  expect(await box.ours('monitor', params)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(await box.traced('monitor', params)).toEqual({ commands: [], sockets: 0 });
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await box.exported()).toEqual([]);
});

test('exportfs#30,43,53, X9, X12, X13, X21: a link, blanks and a subdirectory: keys are exact', async () => {
  const blank = box.directory('my files');
  symlinkSync(blank, join(box.folder, 'link'));
  const other = box.directory('my files/sub');
  await box.run('exportfs', '-i', `*:${other}`);
  const linked = { ...plain, ...recurring, directory: `${box.folder}/link/` };
  expect((await box.ours('start', linked)).code).toBe(0);
  const named = { ...plain, ...recurring, directory: blank };
  expect((await box.ours('monitor', named)).code).toBe(0);
  expect((await box.ours('stop', linked)).code).toBe(0);
  expect(await box.exported()).toEqual([`${box.folder}/my\\040files/sub *`]);
});

test('exportfs#45, X15: two clients of one directory are two resources', async () => {
  const directory = box.directory('a');
  const [a, b] = ['10.0.0.0/24', '10.0.1.0/24'].map((clientspec, index) => ({
    ...plain,
    ...recurring,
    directory,
    clientspec,
    OCF_RESOURCE_INSTANCE: `share-${index}`,
  }));
  for (const params of [a, b]) expect((await box.ours('start', params ?? {})).code).toBe(0);
  expect((await box.ours('stop', a ?? {})).code).toBe(0);
  expect((await box.ours('monitor', b ?? {})).code).toBe(0);
  expect(await box.exported()).toEqual([`${directory} 10.0.1.0/24`]);
  // its locks must stay while its neighbour is exported
  expect(await box.read('/proc/fs/nfsd/unlock_filesystem')).toBe('');
});

test('exportfs#72: 50 starts at once lose no entry', async () => {
  const names = Array.from({ length: 50 }, (_, n) => `d${n}`);
  const codes = await Promise.all(
    names.map(async (name, n) => {
      const params = { ...plain, fsid: n + 1, directory: box.directory(name), OCF_RESOURCE_INSTANCE: name };
      return (await box.ours('start', { ...params, meta_timeout: 40000 })).code;
    }),
  );
  expect(codes).toEqual(names.map(() => 0));
  expect(await box.exported()).toHaveLength(names.length);
});

test('starts at once in a state directory without etab take nothing from each other', async () => {
  const names = ['a', 'b', 'c', 'd'];
  for (let round = 0; round < 3; round++) {
    await box.run('rm', '-f', '/var/lib/nfs/etab');
    const starts = names.map((name, n) => {
      const params = { ...plain, fsid: n + 1, directory: box.directory(name), OCF_RESOURCE_INSTANCE: name };
      return box.ours('start', params);
    });
    expect((await Promise.all(starts)).map(({ code }) => code)).toEqual(names.map(() => 0));
    expect(await box.exported()).toHaveLength(names.length);
  }
});

test('10 stops at once, none of which exportfs helps, leave no entry and take no other one', async () => {
  const resources = Array.from({ length: 10 }, (_, n) => ({
    ...plain,
    fsid: n + 1,
    directory: box.directory(`d${n}`),
    OCF_RESOURCE_INSTANCE: `d${n}`,
    meta_timeout: 40000,
  }));
  const kept = box.directory('kept');
  for (const directory of [...resources.map((one) => one.directory), kept])
    await box.run('exportfs', '-i', `*:${directory}`);
  const script = join(box.folder, 'refusing');
  writeFileSync(script, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await box.run('mount', '--bind', script, '/usr/sbin/exportfs');
  const answers = await Promise.all(resources.map((one) => box.ours('stop', one)));
  expect(answers.map(({ code }) => code)).toEqual(resources.map(() => 0));
  expect(await box.exported()).toEqual([`${kept} *`]);
});

test('exportfs#19,20,75, E10: what is asked about the agent does not depend on the directory', async () => {
  const product = products.find(({ name }) => name === 'exportfs');
  if (!product) throw new Error('exportfs is not among the products');
  await declareCommonJs(box.folder);
  await bundleScript(product, box.folder);
  const agent = join(box.folder, 'exportfs');
  for (const params of [[], ['OCF_RESKEY_directory=/nosuch']]) {
    const ask = (action: string) => box.run('env', ...params, agent, action);
    expect(await ask('meta-data')).toBe(product.metadata?.trimEnd());
    for (const action of ['usage', 'methods']) expect(await ask(action)).toContain('start|stop');
  }
});

test('options change without a restart', async () => {
  const directory = box.directory('a');
  await box.ours('start', { ...plain, directory, options: 'rw,no_root_squash' });
  expect((await box.ours('reload-agent', { ...plain, directory, options: 'ro' })).code).toBe(0);
  const etab = await box.read('/var/lib/nfs/etab');
  expect(etab).toMatch(/\(ro,.*,root_squash,.*fsid=105/);
  expect(etab.trim().split('\n')).toHaveLength(1);
});

test('stops that keep locks, without exportfs, beside starts with it: none undoes another’s work', async () => {
  const resources = (letter: string) =>
    Array.from({ length: 10 }, (_, n) => ({
      ...plain,
      unlock_on_stop: 0,
      fsid: n + (letter === 'a' ? 1 : 100),
      directory: box.directory(`${letter}${n}`),
      OCF_RESOURCE_INSTANCE: `${letter}${n}`,
      meta_timeout: 60000,
    }));
  const [old, young] = [resources('a'), resources('b')];
  for (const { directory } of old) await box.run('exportfs', '-i', `*:${directory}`);
  const answers = await Promise.all([
    ...old.map((one) => box.ours('stop', one)),
    ...young.map((one) => box.ours('start', one)),
  ]);
  expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 0));
  expect(await box.exported()).toEqual(young.map(({ directory }) => `${directory} *`));
});

test('exportfs -u of an address takes the line of the host with that address: ours does not', async () => {
  const directory = box.directory('a');
  const params = { ...plain, directory, clientspec: '192.0.2.9' };
  const other = { ...plain, directory, clientspec: 'short', OCF_RESOURCE_INSTANCE: 'other' };
  for (const one of [params, other]) expect((await box.ours('start', one)).code).toBe(0);
  const lines = await box.exported();
  expect(lines).toContain(`${directory} full.example.com`);
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await box.exported()).toEqual([`${directory} full.example.com`]);
  expect((await box.ours('monitor', other)).code).toBe(0);
});

test('a host is called otherwise by DNS now, and the old name still resolves: a start leaves it exported', async () => {
  const directory = box.directory('a');
  const params = { ...plain, directory, clientspec: 'short' };
  expect((await box.ours('start', params)).code).toBe(0);
  await box.write('/etc/hosts', '192.0.2.9 new.example.com full.example.com short\n');
  for (const action of ['start', 'reload-agent']) expect((await box.ours(action, params)).code).toBe(0);
  expect(await box.exported()).toEqual([`${directory} new.example.com`]);
  expect((await box.ours('monitor', params)).code).toBe(0);
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await box.exported()).toEqual([]);
});

test('the state directory of nfs.conf', async () => {
  const state = box.directory('state');
  await box.run('mount', '-t', 'tmpfs', 'conf', '/etc/nfs.conf.d');
  await box.write('/etc/nfs.conf.d/ha.conf', `[mountd]\nstate-directory-path = ${state}\n`);
  const params = { ...plain, directory: box.directory('a'), ...recurring };
  expect((await box.ours('start', params)).code).toBe(0);
  expect(await box.exported()).toEqual([]);
  expect(await box.read(`${state}/etab`)).toContain(`${box.folder}/a\t*(rw`);
  expect((await box.ours('monitor', params)).code).toBe(0);
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await box.read(`${state}/etab`)).toBe('');
});

describe('rmtab', () => {
  const line = (path: string, client = '10.0.0.7') => `${client}:${path}:0x00000001\n`;

  test('exportfs#54,55,56,60: is saved where only the second directory has clients, and restored once', async () => {
    const [a, b] = [box.directory('a'), box.directory('b')];
    mkdirSync(join(b, 'sub'));
    const params = { clientspec: '*', directory: `${a} ${b}`, ...recurring };
    expect((await box.ours('start', params)).code).toBe(0);
    await box.write('/var/lib/nfs/rmtab', line(b) + line(`${b}/sub`) + line(`${b}b`));
    expect((await box.ours('monitor', params)).code).toBe(0);
    expect(await box.read(`${b}/.rmtab`)).toBe((line(b) + line(`${b}/sub`)).trimEnd());
    expect((await box.traced('monitor', params)).commands).toEqual([]);

    expect((await box.ours('stop', params)).code).toBe(0);
    await box.run('rm', '/var/lib/nfs/rmtab');
    expect((await box.ours('start', params)).code).toBe(0);
    expect(await box.read('/var/lib/nfs/rmtab')).toBe((line(b) + line(`${b}/sub`)).trimEnd());
    expect(await box.run('stat', '-c', '%a %U', '/var/lib/nfs/rmtab')).toBe('644 root');
    expect((await box.ours('start', params)).code).toBe(0);
    expect(await box.read('/var/lib/nfs/rmtab')).toBe((line(b) + line(`${b}/sub`)).trimEnd());
  });

  test('S4: the folder of its backup is a link of somebody with the disk: nothing is written where it leads', async () => {
    const directory = box.directory('planted');
    const outside = box.directory('outside');
    await box.run('ln', '-s', outside, `${directory}/backup`);
    const params = { clientspec: '*', directory, fsid: 1, rmtab_backup: 'backup/rmtab', ...recurring };
    expect((await box.ours('start', params)).code).toBe(0);
    await box.write('/var/lib/nfs/rmtab', line(directory));
    expect(await box.ours('monitor', params)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('planted/backup is a symbolic link'),
    });
    expect((await box.ours('stop', params)).code).toBe(0);
    expect(await box.run('ls', outside)).toBe('');
  });

  test('exportfs#59: a read-only export is told once', async () => {
    const directory = box.directory('ro');
    await box.run('mount', '-t', 'tmpfs', '-o', 'ro', 'ro', directory);
    const params = { clientspec: '*', directory, fsid: 1, ...recurring };
    expect((await box.ours('start', params)).code).toBe(0);
    await box.write('/var/lib/nfs/rmtab', line(directory));
    const first = await box.ours('monitor', params);
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('read-only file system') });
    expect(await box.ours('monitor', params)).toMatchObject({ code: 0, stderr: '' });
    expect((await box.ours('stop', params)).code).toBe(0);
  });

  test('on the exported filesystem itself needs no copy', async () => {
    const directory = box.directory('shared');
    const disk = join(box.folder, 'disk');
    await box.run('truncate', '-s', '16M', disk);
    await box.run('mkfs.ext4', '-q', '-F', disk);
    await box.run('mount', '-o', 'loop', disk, directory);
    await box.run('touch', `${directory}/etab`, `${directory}/rmtab`);
    await box.run('mount', '--bind', directory, '/var/lib/nfs');
    await box.write('/var/lib/nfs/rmtab', line(directory));
    const params = { clientspec: '*', options: 'rw,sync,no_root_squash', directory, fsid: 0, ...recurring };
    expect((await box.ours('start', params)).code).toBe(0);
    expect((await box.ours('monitor', params)).code).toBe(0);
    expect((await box.ours('stop', params)).code).toBe(0);
    // nfsd must end before this filesystem can go: clients wait for that, and keep their locks
    expect(await box.exported()).toEqual([`${box.folder}/memory/tsha/waiting-share *`]);
    expect(await box.read('/proc/fs/nfsd/unlock_filesystem')).toBe('');
    expect((await box.ours('monitor', params)).code).toBe(7);
    expect(await box.run('ls', '-A', directory)).not.toContain('.rmtab\n');
    // nothing of ours may keep it busy
    await box.run('umount', '/var/lib/nfs');
    await box.run('umount', directory);
  });
});

test('exportfs#49, X8: an etab from before the crash, and one that nfsd acts on', async () => {
  const params = { ...plain, directory: box.directory('a') };
  await box.run('exportfs', '-i', '-o', 'rw,fsid=105', `*:${params.directory}`);
  expect((await box.ours('monitor', params)).code).toBe(0);
  await box.write('/proc/fs/nfsd/threads', '0\n');
  expect((await box.ours('monitor', params)).code).toBe(7);
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await box.exported()).toEqual([]);
});

test('exportfs that does not come back ends inside the timeout, and stop goes on without it', async () => {
  const params = { ...plain, directory: box.directory('a'), meta_timeout: 30_000 };
  expect((await box.ours('start', params)).code).toBe(0);
  const script = join(box.folder, 'exportfs');
  writeFileSync(script, '#!/bin/sh\nexec sleep 3600\n', { mode: 0o755 });
  await box.run('mount', '--bind', script, '/usr/sbin/exportfs');
  expect((await box.ours('stop', params)).code).toBe(0);
  expect(await box.exported()).toEqual([]);
  const failed = await box.ours('start', { ...params, meta_timeout: 24_000 });
  expect(failed).toMatchObject({ code: 1, reason: expect.stringContaining('exportfs -v -i -o') });
});
