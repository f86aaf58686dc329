import { describe, expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { processesUsing } from '../../../../lib/host/storage/mount-users.ts';
import { type Mount, parseMountinfo } from '../../../../lib/host/storage/mounts.ts';
import { FakeMachine } from '../../../fake/machine.ts';

const mount = parseMountinfo('31 1 147:1 / /nfsdata rw - xfs /dev/drbd1 rw\n')[0] as Mount;

/** A machine whose process 100 lives in our mount namespace and has the given files and links. */
function machineWith(
  files: { readonly [name: string]: string },
  links: { readonly [name: string]: string },
  namespace = 'mnt:[1]',
): FakeMachine {
  const machine = new FakeMachine();
  machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
  return machine.process(
    100,
    { comm: 'worker\n', stat: '100 (worker) S 1 0 0', ...files },
    { exe: '/usr/bin/worker', cwd: '/', root: '/', 'ns/mnt': namespace, ...links },
  );
}

const maps = (line: string) => ({
  maps: `00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/worker\n${line}\n`,
});

describe('who uses the mount /nfsdata', () => {
  test.each([
    ['nothing there', {}, {}, undefined],
    ['a working directory', {}, { cwd: '/nfsdata' }, 'cwd /nfsdata'],
    ['a deleted working directory', {}, { cwd: '/nfsdata/a (deleted)' }, 'cwd /nfsdata/a'],
    ['a root directory', {}, { root: '/nfsdata/jail' }, 'root /nfsdata/jail'],
    ['a program', {}, { exe: '/nfsdata/bin/x' }, 'exe /nfsdata/bin/x'],
    ['a name that only begins the same', {}, { cwd: '/nfsdata2' }, undefined],
    [
      'an open file of it',
      { 'fdinfo/4': 'pos:\t0\nmnt_id:\t31\n' },
      { 'fd/4': '/nfsdata/etab' },
      'fd 4 /nfsdata/etab',
    ],
    [
      'an open file below the mount point',
      { 'fdinfo/4': 'mnt_id:\t22\n' },
      { 'fd/4': '/nfsdata/etab' },
      undefined,
    ],
    ['an open file, unreadable fdinfo', {}, { 'fd/4': '/nfsdata/etab' }, 'fd 4 /nfsdata/etab'],
    [
      'a mapped deleted file',
      maps('00007f00-00007f01 r--p 00000000 93:01 12 /nfsdata/lib x.so (deleted)'),
      { 'map_files/7f00-7f01': '/nfsdata/lib x.so (deleted)' },
      'mapped file /nfsdata/lib x.so',
    ],
    ['a mapped file of another device', maps('7f00-7f01 r--p 00000000 08:02 12 /nfsdata/x'), {}, undefined],
    ['a kernel thread', {}, { exe: '' }, undefined],
  ])('%s', async (_what, files, links, how) => {
    const machine = machineWith(files, links as Record<string, string>);
    if ('exe' in links && links.exe === '') machine.links.delete('/proc/100/exe');
    const users = await processesUsing(hostOn(machine, 1e6), mount);
    expect(users).toEqual(how === undefined ? [] : [{ pid: 100, startTime: 1000, name: 'worker', how }]);
  });

  test('a socket bound to a path of it', async () => {
    const machine = machineWith({}, { 'fd/3': 'socket:[1141]' });
    machine.files.set(
      '/proc/net/unix',
      'Num RefCount Protocol Flags Type St Inode Path\n0000: 00000003 00000000 00010000 0001 03  1141 /nfsdata/sock\n',
    );
    expect(await processesUsing(hostOn(machine, 1e6), mount)).toMatchObject([{ how: 'fd 3 socket:[1141]' }]);
  });

  test('F6: what was entered before the mount reads the same, and lies below it', async () => {
    const machine = machineWith(maps('7f00-7f01 r--p 00000000 93:01 12 /nfsdata/lib.so'), {
      cwd: '/nfsdata',
      root: '/nfsdata/jail',
      exe: '/nfsdata/bin/x',
      'map_files/7f00-7f01': '/nfsdata/lib.so',
    });
    for (const name of ['cwd', 'root', 'exe', 'map_files/7f00-7f01'])
      machine.mountIds.set(`/proc/100/${name}`, 22);
    expect(await processesUsing(hostOn(machine, 1e6), mount)).toEqual([]);
    machine.mountIds.set('/proc/100/map_files/7f00-7f01', 31);
    expect(await processesUsing(hostOn(machine, 1e6), mount)).toMatchObject([
      { how: 'mapped file /nfsdata/lib.so' },
    ]);
  });

  test.each([
    ['its own working directory', {}, { 'task/101/cwd': '/nfsdata' }, 'thread 101: cwd /nfsdata'],
    [
      'its own descriptors',
      { 'task/101/fdinfo/4': 'mnt_id: 31\n' },
      { 'task/101/fd/4': '/nfsdata/f' },
      'thread 101: fd 4 /nfsdata/f',
    ],
    [
      'after the first one has ended',
      {},
      { exe: '', cwd: '', 'task/101/cwd': '/nfsdata' },
      'thread 101: cwd /nfsdata',
    ],
  ])('F10: a thread with %s', async (_what, files, links, how) => {
    const machine = machineWith({ 'task/100/stat': '', ...files }, links as Record<string, string>);
    const found = (search: 'quick' | 'thorough') => processesUsing(hostOn(machine, 1e6), mount, search);
    expect(await found('quick')).toEqual([]);
    expect(await found('thorough')).toMatchObject([{ how }]);
  });

  test.each([
    ['8:9', []],
    ['0:40', [{ how: 'cwd /nfsdata' }]],
    [undefined, [{ how: 'cwd /nfsdata' }]],
  ])(
    'F6: on NFS a child asks for the device, %s: the kernel would ask the server again',
    async (device, users) => {
      const machine = machineWith({}, { cwd: '/nfsdata' });
      machine.on('stat', () =>
        device ? `${device} 1 directory\n` : { code: 124, hung: 'pid 1 in state D' },
      );
      const nfs = { ...mount, type: 'nfs4', device: '0:40' };
      expect(await processesUsing(hostOn(machine, 1e6), nfs)).toMatchObject(users);
    },
  );

  test('a path of another mount namespace that reads the same is not ours, a descriptor with our mount id is', async () => {
    const alien = machineWith({}, { cwd: '/nfsdata' }, 'mnt:[2]');
    alien.mountIds.set('/proc/100/cwd', 77);
    expect(await processesUsing(hostOn(alien, 1e6), mount)).toEqual([]);
    const passed = machineWith({ 'fdinfo/9': 'mnt_id: 31\n' }, { 'fd/9': '/nfsdata/x' }, 'mnt:[2]');
    expect(await processesUsing(hostOn(passed, 1e6), mount)).toMatchObject([{ how: 'fd 9 /nfsdata/x' }]);
  });

  test('never asks for maps while a thread hangs and another could be waiting behind it', async () => {
    const machine = machineWith(
      {
        ...maps('7f00-7f01 r--p 00000000 93:01 12 /nfsdata/x'),
        'task/100/stat': `100 (w) D 1 ${'0 '.repeat(30)}`,
        'task/101/stat': `101 (w) S 1 ${'0 '.repeat(30)}`,
      },
      {},
    );
    expect(await processesUsing(hostOn(machine, 1e6), mount)).toEqual([]);
  });
});
