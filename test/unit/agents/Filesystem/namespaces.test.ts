import { describe, expect, test } from 'vitest';
import { describeElsewhere, isOf, otherNamespaces } from '../../../../agents/Filesystem/namespaces.ts';
import { hostOn } from '../../../../lib/host/host.ts';
import { parseMountinfo } from '../../../../lib/host/storage/mounts.ts';
import { follow } from '../../../fake/filesystem-story.ts';
import { FakeMachine } from '../../../fake/machine.ts';

// What has just been unmounted here may still be mounted in another namespace. The kernel gives the number of a superblock without a disk
// of its own to the next one at once: a stop must not take a stranger's new mount for it.

const mount = (device: string, type: string, source: string) => {
  const [found] = parseMountinfo(`9 1 ${device} / /x rw - ${type} ${source} rw\n`);
  if (!found) throw new Error('no mount');
  return found;
};

test.each([
  ['a disk, by whatever name', '8:1 xfs /dev/sda1', '8:1 xfs /dev/disk/by-id/x', true],
  ['another disk', '8:1 xfs /dev/sda1', '8:2 xfs /dev/sda2', false],
  ['btrfs', '0:50 btrfs /dev/sda1', '0:50 btrfs /dev/sda1', true],
  ["btrfs, and somebody's tmpfs that got its number", '0:50 btrfs /dev/sda1', '0:50 tmpfs base', false],
  ['NFS, and another export that got its number', '0:50 nfs4 a:/x', '0:50 nfs4 b:/x', false],
])('%s', (_what, ours, theirs, is) => {
  const [one, other] = [ours, theirs].map((words) =>
    mount(...(words.split(' ') as [string, string, string])),
  );
  if (!one || !other) throw new Error('no mounts');
  expect(isOf(other, one)).toBe(is);
});

test('without knowing what was mounted, an anonymous number is nobody', () => {
  expect(isOf(mount('0:50', 'btrfs', '/dev/sda1'), { device: '0:50' })).toBe(false);
});

describe('who is asked in a namespace', () => {
  const mountinfo = '77 1 147:1 / /x rw - xfs /dev/drbd1 rw\n';
  const member = (
    machine: FakeMachine,
    pid: number,
    files: { readonly [name: string]: string } = { mountinfo },
  ) => machine.process(pid, { comm: `p${pid}\n`, ...files }, { 'ns/mnt': 'mnt:[2]' });
  const machineOf = (...pids: readonly number[]) => {
    const machine = new FakeMachine();
    machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
    for (const pid of pids) member(machine, pid);
    return machine;
  };
  /** Something happens right before a process is asked what it has mounted. */
  const when = (machine: FakeMachine, pid: number, happens: () => unknown) => {
    const read = machine.read.bind(machine);
    let isFirst = true;
    machine.read = async (path) => {
      if (path === `/proc/${pid}/mountinfo` && isFirst) {
        isFirst = false;
        happens();
      }
      return read(path);
    };
  };
  const elsewhere = (machine: FakeMachine) => describeElsewhere(hostOn(machine, 1e6), { device: '147:1' });
  const there = (pid: number) => [`the mount namespace of p${pid}[${pid}] has it on /x`];

  test('one of its members', async () => {
    expect(await elsewhere(machineOf(7, 8))).toEqual(there(7));
  });

  test('the first one has just ended: the next is asked, and is the first then', async () => {
    const machine = machineOf(7, 8, 9);
    when(machine, 7, () => machine.endProcess(7));
    expect(await elsewhere(machine)).toEqual(there(8));
    const [space] = await otherNamespaces(hostOn(machine, 1e6));
    expect(space?.members).toEqual([8, 9]);
  });

  test('it has just moved to a namespace of its own', async () => {
    const machine = machineOf(7, 8);
    when(machine, 7, () => machine.links.set('/proc/7/ns/mnt', 'mnt:[3]'));
    machine.files.set('/proc/7/mountinfo', '');
    expect(await elsewhere(machine)).toEqual(there(8));
  });

  test('the only one has just ended, after it had begun another', async () => {
    const machine = machineOf(7);
    when(machine, 7, () => {
      machine.endProcess(7);
      member(machine, 8);
    });
    expect(await elsewhere(machine)).toEqual(there(8));
  });

  test('one that begins while others are looked at, its parent gone before it was', async () => {
    const machine = machineOf();
    machine.process(5, { comm: 'other\n' }, { 'ns/mnt': 'mnt:[1]' });
    const target = machine.target.bind(machine);
    machine.target = async (path) => {
      if (path === '/proc/5/ns/mnt') member(machine, 8);
      return target(path);
    };
    expect(await elsewhere(machine)).toEqual(there(8));
  });

  test('all have ended: nobody lives there', async () => {
    const machine = machineOf(7);
    when(machine, 7, () => machine.endProcess(7));
    expect(await elsewhere(machine)).toEqual([]);
  });

  test('nobody there can be asked: it may have it', async () => {
    const machine = machineOf();
    for (const pid of [7, 8]) member(machine, pid, {});
    expect(await elsewhere(machine)).toEqual(['whether the mount namespace of p7[7] has it cannot be read']);
  });

  test('a stop of what no directory of sysfs tells of is not done then', () =>
    follow({
      what: '',
      with: { fstype: 'btrfs' },
      given: (m) => {
        m.mounted({ source: '/dev/drbd1', target: '/nfsdata', device: '0:70', type: 'btrfs' });
        m.process(7, { comm: 'x\n' }, { 'ns/mnt': 'mnt:[2]' });
      },
      calls: 'stop 1',
      reason: /whether the mount namespace of x\[7\] has it cannot be read/,
    }));
});
