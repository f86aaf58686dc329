import { describe, expect, test } from 'vitest';
import { FilesystemMachine, recurring } from '../../../fake/filesystem-machine.ts';

const ours = { source: '/dev/drbd1', target: '/nfsdata', device: '147:1' } as const;
type Params = { readonly [name: string]: string };

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
      'the link is gone, and nobody has seen where it led',
      { device: '/dev/data' },
      recurring,
      (m) => m.mounted(ours),
      1,
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
    [
      'Filesystem#109: read-only after an error',
      {},
      recurring,
      (m) => m.mounted({ ...ours, superOptions: 'ro' }),
      1,
    ],
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
    ['Filesystem#20: no device parameter', { device: '' }, recurring, () => undefined, 6],
    ['Filesystem#27: directory /, probe', { directory: '/' }, {}, () => undefined, 7],
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
    ['20', ['dd', '/agent', 'dd', 'dd']],
  ])('Filesystem#76: level %s runs %j', async (level, expected) => {
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

test.each([
  ['-L data', 'LABEL'],
  ['UUID=data', 'UUID'],
])('Filesystem#64: level 10 of %s reads the disk underneath', async (device) => {
  const machine = new FilesystemMachine({ device, OCF_CHECK_LEVEL: '10' }).mounted(ours).on('dd', () => '');
  for (const kind of ['label', 'uuid']) machine.links.set(`/dev/disk/by-${kind}/data`, '/dev/drbd1');
  expect(await machine.call('monitor', recurring)).toMatchObject({ code: 0 });
  expect(machine.ran).toEqual([expect.stringContaining('dd if=/dev/drbd1 of=/dev/null iflag=direct')]);
});
