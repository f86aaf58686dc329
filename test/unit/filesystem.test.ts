import { describe, expect, test } from 'vitest';
import { FilesystemMachine, recurring } from '../fake/filesystem-machine.ts';
import { hangs } from '../fake/machine.ts';

const ours = { source: '/dev/drbd1', target: '/nfsdata', device: '147:1' } as const;
type Params = { readonly [name: string]: string };

describe('start', () => {
  test('mounts with one command', async () => {
    const machine = new FilesystemMachine({ options: 'noatime' });
    expect(await machine.call('start')).toMatchObject({ code: 0 });
    expect(machine.ran).toEqual(['mount -t xfs -o noatime /dev/drbd1 /nfsdata']);
  });

  test.each<[string, Params, string | undefined]>([
    ['72: ext4 replays its journal', { fstype: 'ext4' }, undefined],
    ['72: ext2 is checked', { fstype: 'ext2' }, 'fsck -t ext2 -p /dev/drbd1'],
    ['71: no type is checked', { fstype: '' }, 'fsck -p /dev/drbd1'],
    ['73: force', { run_fsck: 'force' }, 'fsck -t xfs -p /dev/drbd1'],
    ['no', { fstype: 'ext2', run_fsck: 'no' }, undefined],
    ['75: nonsense is auto', { run_fsck: 'bogus' }, undefined],
    ['a bind mount', { device: '/src', fstype: 'none', options: 'bind', run_fsck: 'force' }, undefined],
  ])('fsck: %s', async (_what, params, expected) => {
    const machine = new FilesystemMachine(params).on('fsck', () => undefined);
    machine.files.set('/proc/filesystems', '\text2\n\text4\n\txfs\n');
    expect(await machine.call('start')).toMatchObject({ code: 0 });
    expect(machine.ran.find((line) => line.startsWith('fsck'))).toBe(expected);
  });

  test.each([
    [0, 0],
    [1, 0],
    [2, 0],
    [4, 1],
    [8, 1],
  ])('73, 74: fsck exit %i makes start %i', async (exit, code) => {
    const machine = new FilesystemMachine({ run_fsck: 'force' }).on('fsck', () => ({
      code: exit,
      stdout: 'bad block\n',
    }));
    expect(await machine.call('start')).toMatchObject({ code });
    expect(machine.targets).toEqual(code === 0 ? ['/nfsdata'] : []);
  });

  test('69: a module whose type appears later', async () => {
    const machine = new FilesystemMachine({ fstype: 'f2fs', run_fsck: 'no' }).on('modprobe', () => undefined);
    machine.onTick = (clock) => clock >= 2000 && machine.files.set('/proc/filesystems', '\tf2fs\n');
    expect(await machine.call('start')).toMatchObject({ code: 0 });
  });

  test('a type that never appears, and no module', async () => {
    const late = new FilesystemMachine({ fstype: 'f2fs' }).on('modprobe', () => undefined);
    expect(await late.call('start')).toMatchObject({ code: 5 });
    const none = new FilesystemMachine({ fstype: 'f2fs' }).on('modprobe', () => ({
      code: 1,
      stderr: 'not found\n',
    }));
    expect(await none.call('start')).toMatchObject({ code: 5, reason: expect.stringContaining('f2fs') });
  });

  test('C30: a helper of mount is support enough', async () => {
    const machine = new FilesystemMachine({ fstype: 'efs', device: 'fs-1:/' }).on(
      'mount.efs',
      () => undefined,
    );
    expect(await machine.call('start')).toMatchObject({ code: 0 });
  });

  test('D16: a device that udev is still naming is waited for', async () => {
    const machine = new FilesystemMachine({ device: '/dev/late' });
    machine.files.set('/run/udev/queue', '');
    machine.onTick = (clock) => clock >= 3000 && machine.disk('/dev/late', 8, 1);
    expect(await machine.call('start')).toMatchObject({ code: 0 });
    expect(machine.clock).toBeLessThan(5000);
  });

  test('D16: one that never comes takes at most half the time', async () => {
    const machine = new FilesystemMachine({ device: '/dev/late' });
    machine.files.set('/run/udev/queue', '');
    expect(await machine.call('start')).toMatchObject({ code: 5 });
    expect(machine.clock).toBeLessThan(10_500);
  });

  test('a label: udev names it without a command, else blkid searches', async () => {
    const named = new FilesystemMachine({ device: 'LABEL=my data' });
    named.links.set('/dev/disk/by-label/my\\x20data', '/dev/drbd1');
    expect(await named.call('start')).toMatchObject({ code: 0 });
    expect(named.ran).toEqual(['mount -t xfs /dev/disk/by-label/my\\x20data /nfsdata']);
    const searched = new FilesystemMachine({ device: 'UUID=1' }).on('blkid', () => '/dev/drbd1\n');
    expect(await searched.call('start')).toMatchObject({ code: 0 });
    expect(searched.ran).toContain('mount -t xfs /dev/drbd1 /nfsdata');
  });

  test('mount fails, but the kernel has mounted it', async () => {
    const machine = new FilesystemMachine();
    machine.on('mount', () => {
      machine.mounted(ours);
      return { code: 16, stderr: 'mount: cannot write utab\n' };
    });
    expect(await machine.call('start')).toMatchObject({ code: 0 });
  });

  test('mount succeeds, but nothing is mounted', async () => {
    const machine = new FilesystemMachine().on('mount', () => undefined);
    expect(await machine.call('start')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('/nfsdata'),
    });
  });

  test('mount hangs: the reason says so before the timeout', async () => {
    const machine = new FilesystemMachine();
    machine.on('mount', (_args, command) => hangs(command, machine));
    expect(await machine.call('start')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('did not end'),
    });
    expect(machine.clock).toBeLessThan(20_000);
  });

  test('mounted read-only although rw was asked for', async () => {
    const machine = new FilesystemMachine();
    machine.on('mount', () => void machine.mounted({ ...ours, superOptions: 'ro' }));
    expect(await machine.call('start')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('read-only'),
    });
  });
});

describe('clones', () => {
  test.each<[string, Params, number]>([
    ['98: ext4', { fstype: 'ext4' }, 6],
    ['99: ext4 ro still replays its journal', { fstype: 'ext4', options: 'ro' }, 6],
    ['100: ext4, forced', { fstype: 'ext4', force_clones: 'true' }, 0],
    ['101: btrfs, forced', { fstype: 'btrfs', force_clones: 'true', run_fsck: 'no' }, 0],
    ['101: ext2, forced', { fstype: 'ext2', force_clones: 'true', run_fsck: 'no' }, 0],
    ['102: btrfs, remount-ro is no ro', { fstype: 'btrfs', options: 'errors=remount-ro' }, 6],
    ['btrfs ro', { fstype: 'btrfs', options: 'ro', run_fsck: 'no' }, 0],
    ['103: gfs2', { fstype: 'gfs2' }, 0],
    ['103: ocfs2', { fstype: 'ocfs2' }, 0],
    ['103: nfs', { fstype: 'nfs', device: 's:/e' }, 0],
    ['103: tmpfs', { fstype: 'tmpfs', device: 'x' }, 0],
    ['no type', { fstype: '', run_fsck: 'no' }, 6],
  ])('%s', async (_what, params, code) => {
    const machine = new FilesystemMachine({ ...params, CRM_meta_clone_max: '2' });
    machine.files.set(
      '/proc/filesystems',
      ['ext2', 'ext4', 'btrfs', 'gfs2', 'ocfs2', 'nfs', 'tmpfs'].map((type) => `\t${type}\n`).join(''),
    );
    const result = await machine.call('start');
    expect(result).toMatchObject({ code });
    expect(machine.targets).toEqual(code === 0 ? ['/nfsdata'] : []);
    if (code !== 0) expect(result.reason).toMatch(/^DANGER!/);
  });
});

describe('monitor', () => {
  test.each<[string, Params, Params, (machine: FilesystemMachine) => unknown, number]>([
    ['mounted', {}, recurring, (m) => m.mounted(ours), 0],
    [
      'another name for the same device',
      { device: '/dev/data' },
      recurring,
      (m) => m.disk('/dev/data', 147, 1).mounted(ours),
      0,
    ],
    [
      '40, D2: the link is gone, the device is not',
      { device: '/dev/data' },
      recurring,
      (m) => m.mounted(ours),
      0,
    ],
    [
      'another device, both by kernel name, ours absent',
      { device: '/dev/drbd2' },
      recurring,
      (m) => m.mounted(ours),
      1,
    ],
    ['the same, probe', { device: '/dev/drbd2' }, {}, (m) => m.mounted(ours), 7],
    ['the disk was pulled', {}, recurring, (m) => m.mounted(ours).links.delete('/sys/dev/block/147:1'), 1],
    ['109: read-only after an error', {}, recurring, (m) => m.mounted({ ...ours, superOptions: 'ro' }), 1],
    [
      'read-only on purpose',
      { options: 'noatime,ro' },
      recurring,
      (m) => m.mounted({ ...ours, superOptions: 'ro' }),
      0,
    ],
    ['shut down', {}, recurring, (m) => m.mounted({ ...ours, superOptions: 'rw,shutdown' }), 1],
    ['absent', {}, recurring, () => undefined, 7],
    [
      'absent, but active in the kernel',
      {},
      recurring,
      (m) => m.factsOf.set('/sys/fs/xfs/drbd1', { kind: 'directory' }),
      1,
    ],
    [
      'absent here, mounted elsewhere',
      {},
      recurring,
      (m) => m.mounted({ ...ours, target: '/mnt' }).factsOf.set('/sys/fs/xfs/drbd1', { kind: 'directory' }),
      7,
    ],
    ['20: no device parameter', { device: '' }, recurring, () => undefined, 6],
    ['27: directory /, probe', { directory: '/' }, {}, () => undefined, 7],
    [
      'an NFS mount under any spelling',
      { fstype: 'nfs', device: 'S:/e/' },
      recurring,
      (m) => m.mounted({ source: 's:/e', target: '/nfsdata', device: '0:50', type: 'nfs4' }),
      0,
    ],
    [
      'a disk where an NFS mount should be',
      { fstype: 'nfs', device: 's:/e' },
      recurring,
      (m) => m.mounted(ours),
      1,
    ],
    [
      'a tmpfs where a disk should be',
      {},
      recurring,
      (m) => m.mounted({ source: 'x', target: '/nfsdata', device: '0:50', type: 'tmpfs' }),
      1,
    ],
    [
      'a tmpfs where a vanished disk should be',
      { device: '/dev/data' },
      recurring,
      (m) => m.mounted({ source: 'x', target: '/nfsdata', device: '0:50', type: 'tmpfs' }),
      1,
    ],
  ])('%s', async (_what, params, env, prepare, code) => {
    const machine = new FilesystemMachine(params);
    prepare(machine);
    expect(await machine.call('monitor', env)).toMatchObject({ code });
    expect(machine.ran).toEqual([]);
  });

  test.each([
    ['0', []],
    ['10', ['dd']],
    ['15', ['dd']],
    ['20', ['dd', 'dd', 'dd']],
  ])('76: level %s runs %j', async (level, expected) => {
    const machine = new FilesystemMachine({ OCF_CHECK_LEVEL: level, OCF_RESOURCE_INSTANCE: 't1' }).mounted(
      ours,
    );
    machine.on('dd', () => 't1\n\0\0');
    expect(await machine.call('monitor', recurring)).toMatchObject({ code: 0 });
    expect(machine.ran.map((line) => line.split(' ')[0])).toEqual(expected);
  });

  test('another content than was written', async () => {
    const machine = new FilesystemMachine({ OCF_CHECK_LEVEL: '20' }).mounted(ours).on('dd', () => 'stale');
    expect(await machine.call('monitor', recurring)).toMatchObject({ code: 1 });
  });
});

describe('calls that cannot be answered', () => {
  test.each<[string, Params, string, number]>([
    ['3: start without device', { device: '' }, 'start', 6],
    ['13: an unknown action', {}, 'no_cmd', 3],
    ['14: no action', {}, '', 3],
    ['21: start without directory', { directory: '' }, 'start', 6],
    ['23: start of an NFS mount without directory', { directory: '', fstype: 'nfs' }, 'start', 6],
    ['23: its stop', { directory: '', fstype: 'nfs' }, 'stop', 0],
  ])('%s', async (_what, params, action, code) => {
    const machine = new FilesystemMachine(params);
    const result = await machine.call(action);
    expect(result).toMatchObject({ code });
    expect(Boolean(result.reason)).toBe(code !== 0);
    expect(machine.ran).toEqual([]);
  });
});

test.each([
  ['-L data', 'LABEL'],
  ['UUID=data', 'UUID'],
])('64: level 10 of %s reads the disk underneath', async (device) => {
  const machine = new FilesystemMachine({ device, OCF_CHECK_LEVEL: '10' }).mounted(ours).on('dd', () => '');
  for (const kind of ['label', 'uuid']) machine.links.set(`/dev/disk/by-${kind}/data`, '/dev/drbd1');
  expect(await machine.call('monitor', recurring)).toMatchObject({ code: 0 });
  expect(machine.ran).toEqual([expect.stringContaining('dd if=/dev/drbd1 of=/dev/null iflag=direct')]);
});

describe('stop', () => {
  test('53: drbd5, while drbd50 is mounted too', async () => {
    const machine = new FilesystemMachine({ device: '/dev/drbd5' }).disk('/dev/drbd5', 147, 5);
    machine
      .disk('/dev/drbd50', 147, 50)
      .mounted({ source: '/dev/drbd5', target: '/nfsdata', device: '147:5' });
    machine.mounted({ source: '/dev/drbd50', target: '/other', device: '147:50' });
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.targets).toEqual(['/other']);
  });

  test('unmounts with one command', async () => {
    const machine = new FilesystemMachine().mounted(ours);
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.ran).toEqual(['umount -c /nfsdata']);
  });

  test.each<[string, Params]>([
    ['19, D17: no device', { device: '' }],
    ['22: no directory', { directory: '' }],
    ['29: the root directory', { directory: '///' }],
    ['26: a device that does not exist', { device: '/dev/nosuch' }],
  ])('nothing to do: %s', async (_what, params) => {
    const machine = new FilesystemMachine(params);
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.ran).toEqual([]);
  });

  test('31: white space around the directory: what is there is ours', async () => {
    const machine = new FilesystemMachine({ directory: ' /nfsdata ' }).mounted(ours);
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.targets).toEqual([]);
  });

  test('D15: nothing but umount is needed', async () => {
    const machine = new FilesystemMachine().mounted(ours);
    expect(await machine.has('fuser')).toBe(false);
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
  });

  test('a local umount that hangs is never taken for done, even when the table has lost it', async () => {
    const machine = new FilesystemMachine().mounted(ours);
    machine.on('umount', (_args, command) => {
      machine.files.set('/proc/self/mountinfo', '1 0 254:0 / / rw - ext4 /dev/root rw\n');
      return hangs(command, machine);
    });
    expect(await machine.call('stop')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('/dev/drbd1'),
    });
    expect(machine.ran.filter((line) => line.includes('-l'))).toEqual([]);
    expect(machine.clock).toBeLessThan(20_000);
  });

  test('a dead server: force, then lazily, and never later than the deadline', async () => {
    const machine = new FilesystemMachine({ fstype: 'nfs', device: 's:/e' });
    machine.mounted({ source: 's:/e', target: '/nfsdata', device: '0:50', type: 'nfs4' });
    const unmount = (args: readonly string[]) => args.includes('-l');
    machine.on('umount', (args, command) => {
      if (!unmount(args)) return hangs(command, machine);
      machine.files.set('/proc/self/mountinfo', '1 0 254:0 / / rw - ext4 /dev/root rw\n');
      return undefined;
    });
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.ran.at(-1)).toBe('umount -c -i -f -l /nfsdata');
    expect(machine.log.join('\n')).toContain('lazily');
    expect(machine.clock).toBeLessThan(20_000);
  });

  test('C2: the cluster itself is in the way: reported, not signalled', async () => {
    const machine = new FilesystemMachine().mounted(ours);
    machine.process(
      7,
      { comm: 'pcsd\n', stat: '7 (pcsd) S 1 0' },
      { exe: '/usr/bin/python3', cwd: '/nfsdata', root: '/', 'ns/mnt': 'mnt:[1]' },
    );
    machine.on('umount', () => ({ code: 32, stderr: 'umount: /nfsdata: target is busy.\n' }));
    expect(await machine.call('stop')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('pcsd[7] (cwd /nfsdata)'),
    });
    expect(machine.journal.filter((line) => line.startsWith('signal'))).toEqual([]);
    expect(machine.log.length).toBeLessThan(10);
  });
});

describe('move', () => {
  const move = { force_unmount: 'true,move' };
  const aside = { ...ours, target: '/.nfsdata' };

  test('93, 94, D6: start, stop, start again: the directory it leaves changes no answer', async () => {
    const machine = new FilesystemMachine(move);
    for (const round of [1, 2]) {
      expect(await machine.call('start'), `round ${round}`).toMatchObject({ code: 0 });
      expect(await machine.call('monitor', recurring)).toMatchObject({ code: 0 });
      expect(await machine.call('start')).toMatchObject({ code: 0 });
      expect(await machine.call('stop')).toMatchObject({ code: 0 });
      expect(machine.targets).toEqual([]);
    }
    expect(machine.ran.slice(1, 3)).toEqual(['mount -c --move /nfsdata /.nfsdata', 'umount -c /.nfsdata']);
  });

  test.each<[string, Params]>([
    ['move', move],
    ['move no longer set', {}],
    ['a tmpfs', { ...move, device: 'x', fstype: 'tmpfs' }],
  ])('95, 96, D6: left aside by a stop that did not end: %s', async (_what, params) => {
    const row = params['fstype']
      ? { source: 'x', target: aside.target, device: '0:50', type: 'tmpfs' }
      : aside;
    const machine = new FilesystemMachine(params).mounted(row);
    const failed = { code: 1, reason: expect.stringContaining('/.nfsdata') };
    expect(await machine.call('start')).toMatchObject(failed);
    expect(await machine.call('monitor')).toMatchObject(failed);
    expect(await machine.call('monitor', recurring)).toMatchObject(failed);
    expect(machine.targets).toEqual(['/.nfsdata']);
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.targets).toEqual([]);
  });

  test('96: left aside, and something else is mounted on the directory', async () => {
    const other = { source: '/dev/drbd2', target: '/nfsdata', device: '147:2' };
    const machine = new FilesystemMachine(move).disk('/dev/drbd2', 147, 2).mounted(aside).mounted(other);
    expect(await machine.call('monitor', recurring)).toMatchObject({ code: 1 });
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.targets).toEqual(['/nfsdata']);
  });

  test.each<[string, (machine: FilesystemMachine) => unknown, string[]]>([
    [
      'the kernel refuses: a shared parent',
      (m) => m.on('mount', () => ({ code: 32, stderr: 'mount: bad option\n' })),
      [],
    ],
    ['the hidden path is a link', (m) => m.links.set('/.nfsdata', '/elsewhere'), []],
    [
      'no room for the hidden directory',
      (m) => (m.makeDir = async () => Promise.reject(new Error('EROFS'))),
      [],
    ],
    [
      'something else is mounted there',
      (m) => m.disk('/dev/drbd2', 147, 2).mounted({ ...aside, source: '/dev/drbd2', device: '147:2' }),
      ['/.nfsdata'],
    ],
    ['ours is mounted there too', (m) => m.mounted(aside), []],
  ])('97: it cannot be moved, and is unmounted in place: %s', async (_what, prepare, left) => {
    const machine = new FilesystemMachine(move).mounted(ours);
    prepare(machine);
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.targets).toEqual(left);
    expect(machine.log.join('\n')).toContain('in place');
  });

  test('a mount of another device on the hidden path is no business of ours', async () => {
    const machine = new FilesystemMachine(move).disk('/dev/drbd2', 147, 2);
    machine.mounted({ ...aside, source: '/dev/drbd2', device: '147:2' });
    expect(await machine.call('monitor', recurring)).toMatchObject({ code: 7 });
    expect(await machine.call('start')).toMatchObject({ code: 0 });
    expect(await machine.call('monitor', recurring)).toMatchObject({ code: 0 });
  });
});

describe('parameters that cannot be', () => {
  test.each<[string, Params, RegExp]>([
    ['30: white space', { device: '/dev/drbd1 ' }, /white space/],
    ['28: the root directory', { directory: '/' }, /root/],
    ['a relative directory', { directory: 'nfsdata' }, /absolute/],
    ['a signal that does not exist', { term_signals: 'BOGUS' }, /term_signals/],
    ['a delay that is no number', { signal_delay: 'soon' }, /signal_delay/],
  ])('%s', async (_what, params, reason) => {
    for (const action of ['start', 'validate-all']) {
      const result = await new FilesystemMachine(params).call(action);
      expect(result).toMatchObject({ code: 6, reason: expect.stringMatching(reason) });
    }
    const machine = new FilesystemMachine(params);
    if (!('directory' in params)) machine.mounted(ours);
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.targets).toEqual([]);
  });
});

test('110, C20: validate-all at level 10 warns of fstab, at level 0 says nothing', async () => {
  const machine = new FilesystemMachine();
  machine.files.set('/etc/fstab', '# x\n/dev/sda1 /nfsdata/ xfs defaults 0 0\n');
  machine.on('umount', () => undefined);
  expect(await machine.call('validate-all')).toMatchObject({ code: 0 });
  expect(machine.log).toEqual([]);
  expect(await machine.call('validate-all', { OCF_CHECK_LEVEL: '10' })).toMatchObject({ code: 0 });
  expect(machine.log).toHaveLength(1);
});

test('C20: systemd unmounts what an old fstab line says: start says who it was', async () => {
  const machine = new FilesystemMachine();
  machine.files.set('/etc/fstab', '/dev/sda1 /nfsdata xfs defaults 0 0\n');
  machine.factsOf.set('/run/systemd/system', { kind: 'directory' });
  machine.onTick = (clock) =>
    clock > 0 && machine.files.set('/proc/self/mountinfo', '1 0 254:0 / / rw - ext4 /dev/root rw\n');
  expect(await machine.call('start')).toMatchObject({ code: 1, reason: expect.stringContaining('systemd') });
});

test('104: the order of shutdown is written once, and only for systemd', async () => {
  const nfs = { fstype: 'nfs', device: 's:/e' };
  const machine = new FilesystemMachine(nfs).on('systemctl', () => undefined);
  machine.files.set('/proc/filesystems', 'nodev\tnfs\n');
  machine.factsOf.set('/run/systemd/system', { kind: 'directory' });
  expect(await machine.call('start')).toMatchObject({ code: 0 });
  expect(await machine.call('stop')).toMatchObject({ code: 0 });
  expect(await machine.call('start')).toMatchObject({ code: 0 });
  expect(machine.ran.filter((line) => line.startsWith('systemctl'))).toEqual(['systemctl daemon-reload']);
  const other = new FilesystemMachine(nfs);
  other.files.set('/proc/filesystems', 'nodev\tnfs\n');
  expect(await other.call('start')).toMatchObject({ code: 0 });
});
