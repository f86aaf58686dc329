import { describe, expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { kernelUsers, processesUsing, protection } from '../../../../lib/host/storage/mount-users.ts';
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
      maps('7f00-7f01 r--p 00000000 93:01 12 /nfsdata/lib x.so (deleted)'),
      {},
      'mapped file /nfsdata/lib x.so',
    ],
    ['a mapped file of another device', maps('7f00-7f01 r--p 00000000 08:02 12 /nfsdata/x'), {}, undefined],
    ['a kernel thread', {}, { exe: '' }, undefined],
  ])('%s', async (_what, files, links, how) => {
    const machine = machineWith(files, links as Record<string, string>);
    if ('exe' in links && links.exe === '') machine.links.delete('/proc/100/exe');
    const users = await processesUsing(hostOn(machine, 1e6), mount);
    expect(users).toEqual(how === undefined ? [] : [{ pid: 100, name: 'worker', how }]);
  });

  test('a socket bound to a path of it', async () => {
    const machine = machineWith({}, { 'fd/3': 'socket:[1141]' });
    machine.files.set(
      '/proc/net/unix',
      'Num RefCount Protocol Flags Type St Inode Path\n0000: 00000003 00000000 00010000 0001 03  1141 /nfsdata/sock\n',
    );
    expect(await processesUsing(hostOn(machine, 1e6), mount)).toMatchObject([{ how: 'fd 3 socket:[1141]' }]);
  });

  test('a path of another mount namespace that reads the same is not ours, a descriptor with our mount id is', async () => {
    const alien = machineWith({}, { cwd: '/nfsdata' }, 'mnt:[2]');
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

test('what must never be signalled: ourselves, our parents, init, the cluster', async () => {
  const machine = new FakeMachine();
  const stat = (pid: number, parent: number) => `${pid} (a (b) c) S ${parent} ${'0 '.repeat(30)}`;
  machine.process(4242, { stat: stat(4242, 900) });
  machine.process(900, { stat: stat(900, 1) });
  machine.process(901, { stat: stat(901, 1) });
  const host = hostOn(machine, 1e6);
  const isProtected = await protection(host);
  const verdicts = [
    { pid: 4242, name: 'node' },
    { pid: 900, name: 'sh' },
    { pid: 1, name: 'init' },
    { pid: 901, name: 'pacemaker-execd' },
    { pid: 901, name: 'pacemaker-contro' },
    { pid: 901, name: 'pcsd' },
    { pid: 901, name: 'bash' },
  ].map(isProtected);
  expect(verdicts).toEqual([true, true, true, true, true, true, false]);
});

test('users that are no processes: loop, swap, NFS export, another mount namespace', async () => {
  const machine = machineWith({ mountinfo: '77 1 147:1 / /mnt/x rw - xfs /dev/drbd1 rw\n' }, {}, 'mnt:[2]');
  machine.files.set('/sys/block/loop3/loop/backing_file', '/nfsdata/disk.img\n');
  machine.files.set('/sys/block/loop4/loop/backing_file', '/other/disk.img\n');
  machine.files.set(
    '/proc/swaps',
    'Filename\tType\tSize\n/nfsdata/swap\\040file file 8188 0 -2\n/dev/sda2 partition 1 0 -3\n',
  );
  machine.files.set(
    '/proc/net/rpc/nfsd.export/content',
    '#path domain(flags)\n/nfsdata/d\t*(rw)\n/other\t*(rw)\n# /nfsdata/e\t*()\n',
  );
  expect(await kernelUsers(hostOn(machine, 1e6), mount)).toEqual([
    'loop device loop3 has its backing file /nfsdata/disk.img',
    'swap file /nfsdata/swap file is in use',
    'the NFS server exports /nfsdata/d',
    'the NFS server has not yet forgotten /nfsdata/e',
    'the mount namespace of worker[100] has it on /mnt/x',
  ]);
});
