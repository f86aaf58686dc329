import { describe, expect, test } from 'vitest';
import { FilesystemMachine, recurring } from '../../../fake/filesystem-machine.ts';
import { hangs } from '../../../fake/machine.ts';

const ours = { source: '/dev/drbd1', target: '/nfsdata', device: '147:1' } as const;
type Params = { readonly [name: string]: string };

describe('stop', () => {
  test('Filesystem#53: drbd5, while drbd50 is mounted too', async () => {
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
    ['Filesystem#19, D17: no device', { device: '' }],
    ['Filesystem#22: no directory', { directory: '' }],
    ['Filesystem#29: the root directory', { directory: '///' }],
    ['Filesystem#26: a device that does not exist', { device: '/dev/nosuch' }],
  ])('nothing to do: %s', async (_what, params) => {
    const machine = new FilesystemMachine(params);
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.ran).toEqual([]);
  });

  test('Filesystem#31: white space around the directory: what is there is ours', async () => {
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

  test('Filesystem#107, D8: a dead server: force, then lazily, and never later than the deadline', async () => {
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
      { comm: 'pcsd\n', cgroup: '0::/system.slice/pcsd.service\n' },
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

  test('Filesystem#93,94, D6: start, stop, start again: the directory it leaves changes no answer', async () => {
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
  ])('Filesystem#95,96, D6: left aside by a stop that did not end: %s', async (_what, params) => {
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

  test('Filesystem#96: left aside, and something else is mounted on the directory', async () => {
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
  ])('Filesystem#97: it cannot be moved, and is unmounted in place: %s', async (_what, prepare, left) => {
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
