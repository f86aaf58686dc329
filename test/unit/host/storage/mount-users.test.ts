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

describe('a socket', () => {
  /** What ss says of the file: the kernel's number of the superblock, 147:1, split as a program's. */
  const itsFile = 'ino:12 dev:0/37633';
  const other = 'ino:12 dev:0/1792';
  const here = '31 1 147:1 / /nfsdata rw - xfs /dev/drbd1 rw\n';
  const twice = `${here}32 1 147:1 / /mnt rw - xfs /dev/drbd1 rw\n`;
  type Situation = {
    readonly path?: string;
    /** What ss says of it, in a list of all, and alone. */
    readonly file?: string;
    readonly alone?: string;
    readonly namespace?: string;
    readonly root?: string;
    readonly table?: string;
    /** What stat says of the path. */
    readonly inode?: string;
  };
  const line = (path: string, file: string) => `u_str LISTEN 0 128 ${path} 1141 * 0 <-> ${file} peers:\n`;

  function machineOf({
    path = '/nfsdata/sock',
    file = itsFile,
    alone = line(path, file),
    namespace = 'mnt:[1]',
    root = '/',
    table = here,
    inode,
  }: Situation): FakeMachine {
    const machine = machineWith({}, { 'fd/3': 'socket:[1141]', root }, namespace);
    machine.files.set('/proc/self/mountinfo', table);
    machine.files.set(
      '/proc/net/unix',
      `Num RefCount Protocol Flags Type St Inode Path\n0000: 00000003 00000000 00010000 0001 03  1141 ${path}\n`,
    );
    machine.on('ss', (args) => (args.includes('sport = :1141') ? alone : line(path, file)));
    machine.on('stat', () =>
      inode ? `147:1 ${inode} socket\n` : { code: 1, stderr: 'No such file or directory' },
    );
    return machine;
  }
  const hows = async (machine: FakeMachine, search?: 'suspects') =>
    (await processesUsing(hostOn(machine, 1e6), mount, search)).map(({ how }) => how);

  test.each<[string, Situation]>([
    ['bound to a path of it', {}],
    ['that was removed since, by a process with another root directory', { root: '/jail' }],
    ['by a name of few words, whose directory nobody sees', { path: 'sock' }],
    [
      'whose name is several lines',
      { alone: `u_str LISTEN 0 128 /nfsdata/a\nb 1141 * 0 <-> ${itsFile} peers: 7 8 \n` },
    ],
    ['which is connected', { alone: `u_str ESTAB 0 0 /nfsdata/sock 1141 * 1140 --> ${itsFile}\n` }],
    ['that the path leads to, where the superblock is mounted twice', { table: twice, inode: '12' }],
    ['the same with an inode of more bits than ss shows', { table: twice, inode: String(2 ** 32 + 12) }],
  ])('%s', async (_what, situation) => {
    expect(await hows(machineOf(situation))).toEqual(['fd 3 socket:[1141]']);
  });

  test.each<[string, Situation]>([
    [
      'a process of another mount namespace, with its own filesystem there',
      { namespace: 'mnt:[2]', file: other },
    ],
    ['the same with a copy of ours, or bound before it went there', { namespace: 'mnt:[2]' }],
    ['bound to the directory beneath, before the mount', { file: other }],
    [
      'where the superblock is mounted twice, and something else is at the path',
      { table: twice, inode: '13' },
    ],
    ['the same, and nothing is', { table: twice }],
    ['the same with another root directory', { table: twice, inode: '12', root: '/jail' }],
    ['no socket of this kind: another one has a name that reads like its line', { alone: '' }],
    ['a name that reads like what ss says of the file', { alone: line(`/nfsdata/x ${itsFile}`, '') }],
  ])('which proves nothing, %s: named as a suspect at most', async (_what, situation) => {
    expect(await hows(machineOf(situation))).toEqual([]);
    expect(await hows(machineOf(situation), 'suspects')).toEqual([
      'fd 3 socket:[1141], perhaps of /nfsdata/sock',
    ]);
  });

  test('without ss nothing is proved either', async () => {
    const machine = machineOf({}).on('ss', () => ({ code: 127, missing: true }));
    expect(await hows(machine)).toEqual([]);
    expect(await hows(machine, 'suspects')).toHaveLength(1);
  });

  test('the inode of one in the upper half is what ss takes for a port', async () => {
    const machine = machineOf({});
    machine.files.set('/proc/net/unix', `0: 3 0 10000 1 03 3000000000 /nfsdata/sock\n`);
    machine.links.set('/proc/100/fd/3', 'socket:[3000000000]');
    const said = `u_str LISTEN 0 9 /nfsdata/sock -1294967296 * 0 <-> ${itsFile}\n`;
    machine.on('ss', (args) => (args.at(-1) === 'sport = :-1294967296' || args.length === 3 ? said : ''));
    expect(await hows(machine)).toEqual(['fd 3 socket:[3000000000]']);
  });
});

test('on NFS, what reads the same in another mount namespace is not ours', async () => {
  const machine = machineWith({}, { cwd: '/nfsdata' }, 'mnt:[2]').on('stat', () => '0:40 1 directory\n');
  const nfs = { ...mount, type: 'nfs4', device: '0:40' };
  expect(await processesUsing(hostOn(machine, 1e6), nfs)).toEqual([]);
});
