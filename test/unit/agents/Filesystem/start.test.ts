import { describe, expect, test } from 'vitest';
import { FilesystemMachine } from '../../../fake/filesystem-machine.ts';
import { hangs } from '../../../fake/machine.ts';

const ours = { source: '/dev/drbd1', target: '/nfsdata', device: '147:1' } as const;
type Params = { readonly [name: string]: string };

describe('start', () => {
  test('mounts with one command', async () => {
    const machine = new FilesystemMachine({ options: 'noatime' });
    expect(await machine.call('start')).toMatchObject({ code: 0 });
    expect(machine.ran).toEqual(['mount -t xfs -o noatime /dev/drbd1 /nfsdata']);
  });

  test.each<[string, Params, string | undefined]>([
    ['Filesystem#72: ext4 replays its journal', { fstype: 'ext4' }, undefined],
    ['Filesystem#72: ext2 is checked', { fstype: 'ext2' }, 'fsck -t ext2 -p /dev/drbd1'],
    ['Filesystem#71: no type is checked', { fstype: '' }, 'fsck -p /dev/drbd1'],
    ['Filesystem#73: force', { run_fsck: 'force' }, 'fsck -t xfs -p /dev/drbd1'],
    ['no', { fstype: 'ext2', run_fsck: 'no' }, undefined],
    ['Filesystem#75: nonsense is auto', { run_fsck: 'bogus' }, undefined],
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
  ])('Filesystem#73,74: fsck exit %i makes start %i', async (exit, code) => {
    const machine = new FilesystemMachine({ run_fsck: 'force' }).on('fsck', () => ({
      code: exit,
      stdout: 'bad block\n',
    }));
    expect(await machine.call('start')).toMatchObject({ code });
    expect(machine.targets).toEqual(code === 0 ? ['/nfsdata'] : []);
  });

  test('Filesystem#69: a module whose type appears later', async () => {
    const machine = new FilesystemMachine({ fstype: 'f2fs', run_fsck: 'no' }).on('modprobe', () => undefined);
    machine.onTick = (clock) => clock >= 2000 && machine.files.set('/proc/filesystems', '\tf2fs\n');
    expect(await machine.call('start')).toMatchObject({ code: 0 });
  });

  test('Filesystem#68: a type that never appears, and no module', async () => {
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

  test('Filesystem#65: a label: udev names it without a command, else blkid searches', async () => {
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
    ['Filesystem#98: ext4', { fstype: 'ext4' }, 6],
    ['Filesystem#99: ext4 ro still replays its journal', { fstype: 'ext4', options: 'ro' }, 6],
    ['Filesystem#100: ext4, forced', { fstype: 'ext4', force_clones: 'true' }, 0],
    ['Filesystem#101: btrfs, forced', { fstype: 'btrfs', force_clones: 'true', run_fsck: 'no' }, 0],
    ['Filesystem#101: ext2, forced', { fstype: 'ext2', force_clones: 'true', run_fsck: 'no' }, 0],
    ['Filesystem#102: btrfs, remount-ro is no ro', { fstype: 'btrfs', options: 'errors=remount-ro' }, 6],
    ['btrfs ro', { fstype: 'btrfs', options: 'ro', run_fsck: 'no' }, 0],
    ['Filesystem#103: gfs2', { fstype: 'gfs2' }, 0],
    ['Filesystem#103: ocfs2', { fstype: 'ocfs2' }, 0],
    ['Filesystem#103: nfs', { fstype: 'nfs', device: 's:/e' }, 0],
    ['Filesystem#103: tmpfs', { fstype: 'tmpfs', device: 'x' }, 0],
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

test('C20: systemd unmounts what an old fstab line says: start says who it was', async () => {
  const machine = new FilesystemMachine();
  machine.files.set('/etc/fstab', '/dev/sda1 /nfsdata xfs defaults 0 0\n');
  machine.factsOf.set('/run/systemd/system', { kind: 'directory' });
  machine.onTick = (clock) =>
    clock > 0 && machine.files.set('/proc/self/mountinfo', '1 0 254:0 / / rw - ext4 /dev/root rw\n');
  expect(await machine.call('start')).toMatchObject({ code: 1, reason: expect.stringContaining('systemd') });
});

test('Filesystem#104: the order of shutdown is written once, and only for systemd', async () => {
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
