import { expect, test } from 'vitest';
import type { FilesystemMachine } from '../../../fake/filesystem-machine.ts';
import { follow, mounted, ours, type Story } from '../../../fake/filesystem-story.ts';
import { hangs } from '../../../fake/machine.ts';

// A disk whose name leads nowhere: what is still known of it, and when all disks are searched for its label.

const byId = '/dev/disk/by-id/x';
const byUuid = '/dev/disk/by-uuid/1';
const label = { device: '-U 1' };
const link = (path: string) => (machine: FilesystemMachine) => machine.links.set(path, '/dev/drbd1');
const active = (machine: FilesystemMachine): void => {
  machine.files.set('/sys/class/block/drbd1/dev', '147:1\n');
  machine.factsOf.set('/sys/fs/xfs/drbd1', { kind: 'directory' });
};
const activeBtrfs = (machine: FilesystemMachine) => machine.links.set('/sys/fs/btrfs/u/devices/drbd1', 'x');
const serial = (text: string) => (machine: FilesystemMachine) =>
  machine.files.set('/sys/dev/block/147:1/diskseq', `${text}\n`);
/** Unmounted lazily while in use, and udev has dropped the link. */
const lazily =
  (path: string, ...then: readonly ((machine: FilesystemMachine) => unknown)[]) =>
  (machine: FilesystemMachine) => {
    machine.unmounted('/nfsdata');
    machine.links.delete(path);
    for (const one of then) one(machine);
  };
/** Another disk of the node has died. */
const dead = (machine: FilesystemMachine) => machine.on('blkid', (_args, command) => hangs(command, machine));
const isActive = { calls: 'probe 1, rec 1, stop 1', reason: /active/ };
const isGone = { calls: 'probe 7, rec 7, stop 0' };
const btrfsElsewhere = { ...ours, target: '/b', device: '0:70', type: 'btrfs' };

const stories: readonly Story[] = [
  ...(
    [
      ['its name is gone, and the kernel still writes it', lazily(byId, active), isActive],
      ['the same of btrfs', lazily(byId, activeBtrfs), isActive],
      ['nothing is active', lazily(byId), isGone],
      ['the number is another disk’s by now', lazily(byId, active, serial('8')), isGone],
      [
        'its name leads to another disk',
        lazily(byId, active, (m) => m.disk('/dev/drbd2', 147, 2).links.set(byId, '/dev/drbd2')),
        isActive,
      ],
      [
        'somebody else has it mounted',
        lazily(byId, active, (m) => m.mounted({ ...ours, target: '/mnt' })),
        isGone,
      ],
      [
        'another subvolume of the btrfs is mounted',
        lazily(byId, activeBtrfs, (m) => m.mounted(btrfsElsewhere)),
        isGone,
      ],
    ] as const
  ).map(
    ([what, change, then]): Story => ({
      what: `unmounted lazily: ${what}`,
      with: { device: byId },
      given: (m) => {
        link(byId)(m);
        serial('7')(m);
      },
      calls: 'start 0',
      ...('reason' in then && { reason: then.reason }),
      later: { change, calls: then.calls },
      ran: [],
    }),
  ),
  {
    what: 'a label without its link, blkid hangs: what was remembered decides',
    with: label,
    given: link(byUuid),
    calls: 'start 0',
    later: { change: (m) => dead(m).links.delete(byUuid), calls: 'probe 0, rec 0, stop 0' },
    ran: ['umount -c /nfsdata'],
    mounts: [],
    after: (m) => expect(m.clock).toBe(0),
  },
  {
    what: 'the same, nothing is mounted and nothing active: there is nothing that blkid could tell',
    with: label,
    given: dead,
    calls: 'probe 7, rec 7, stop 0',
    ran: [],
  },
  {
    what: 'a disk is mounted there, and only the label says which is ours: cannot be told in time',
    with: label,
    given: (m) => dead(mounted(m)),
    calls: 'rec 1, probe 1, stop 1',
    reason: /cannot tell which disk has UUID 1/,
    mounts: ['/nfsdata'],
    after: (m) => expect(m.clock).toBeLessThanOrEqual(5000),
  },
  {
    what: 'below something that is no disk, too',
    with: label,
    given: (m) =>
      dead(mounted(m)).mounted({ source: 'x', target: '/nfsdata', device: '0:50', type: 'tmpfs' }),
    calls: 'rec 1, probe 1, stop 1',
    reason: /cannot tell which disk has UUID 1/,
  },
  {
    what: 'nothing is mounted, and some disk has a stray filesystem',
    with: label,
    given: (m) => active(dead(m)),
    calls: 'rec 1, probe 1, stop 1',
    reason: /cannot tell which disk has UUID 1/,
  },
  {
    what: 'blkid says whose that is: ours',
    with: label,
    given: (m) => active(m.on('blkid', () => '/dev/drbd1\n')),
    ...isActive,
  },
  {
    what: 'blkid says whose that is: another',
    with: label,
    given: (m) => active(m.disk('/dev/drbd2', 147, 2).on('blkid', () => '/dev/drbd2\n')),
    ...isGone,
  },
  {
    what: 'blkid finds none',
    with: label,
    given: (m) => active(m.on('blkid', () => ({ code: 2 }))),
    ...isGone,
  },
  {
    what: 'there is no blkid',
    with: label,
    given: (m) => active(m.on('blkid', () => ({ code: 127, missing: true as const }))),
    calls: 'probe 1, stop 1',
    reason: /cannot tell.*blkid is not installed/,
  },
  {
    what: 'a search that takes long takes nothing of the time for the users',
    with: { ...label, CRM_meta_timeout: '24000' },
    given: (m) => {
      m.on('blkid', () => {
        m.clock += 4900;
        return '/dev/drbd1\n';
      });
      mounted(m).process(7, { comm: 'app\n' }, { exe: '/bin/app', cwd: '/nfsdata', 'ns/mnt': 'mnt:[1]' });
      m.onSignal = (pid, signal) => void (signal === 9 && m.endProcess(pid));
    },
    calls: 'stop 0',
    mounts: [],
    // the gentle half begins after the search
    after: (m) => expect(m.clock).toBeGreaterThan(4900 + (24_000 - 4900 - 3000) / 2 - 2000),
  },
];

test.each(stories.map((story) => [story.what, story] as const))('%s', (_what, story) => follow(story));
