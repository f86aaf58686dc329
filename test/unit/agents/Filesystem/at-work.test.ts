import { expect, test } from 'vitest';
import type { FilesystemMachine } from '../../../fake/filesystem-machine.ts';
import { follow, mounted, type Params, type Story } from '../../../fake/filesystem-story.ts';
import { statOf, usersOf } from '../../../fake/machine.ts';

// mount(8) of a start before this is in the kernel, where SIGKILL does not reach it: what it will mount is in no table yet.

type Kept = {
  readonly words?: string;
  readonly exe?: string;
  readonly state?: string;
  readonly files?: { readonly [name: string]: string };
  readonly links?: { readonly [name: string]: string };
};

const inKernel =
  ({ words = 'mount -t xfs /dev/drbd1 /nfsdata', exe = '/usr/bin/mount', state = 'D', ...more }: Kept = {}) =>
  (machine: FilesystemMachine) => {
    const stat = statOf(7, 'mount').replace(' S ', ` ${state} `);
    const cmdline = `${words.replaceAll(' ', '\0')}\0`;
    return machine.process(
      7,
      { comm: 'mount\n', stat, cmdline, ...more.files },
      { exe, 'ns/mnt': 'mnt:[1]', ...more.links },
    );
  };
const untouchable = (machine: FilesystemMachine) => {
  machine.onSignal = () => undefined;
  return machine;
};
const signals = (machine: FilesystemMachine) => machine.journal.filter((line) => line.startsWith('signal '));

const never = 'stop 1, probe 1, rec 1, stop 1';
const named =
  /^mount \(pid 7\) of a start before this is still in the kernel, state D: mount -t xfs \/dev\/drbd1 \/nfsdata/;
const stuck = (what: string, kept: Kept, reason = named, with_: Params = {}): Story => ({
  what,
  with: with_,
  given: (m) => untouchable(inKernel(kept)(m)),
  calls: never,
  reason,
  ran: [],
  after: (m) => expect(m.clock).toBeLessThan(20_000),
});
const nobody = (what: string, kept: Kept, with_: Params = {}): Story => ({
  what,
  with: with_,
  given: (m) => inKernel(kept)(m),
  calls: 'stop 0, probe 7, rec 7',
  ran: [],
  silent: true,
  after: (m) => expect(m.isLive(7)).toBe(true),
});

/** The last of the time that it takes, and what is there then. */
const endsAt = (clock: number, machine: FilesystemMachine, then: () => unknown) => {
  machine.onTick = (now) => {
    if (now < clock || !machine.isLive(7)) return;
    machine.endProcess(7);
    then();
  };
};
const nfs = { device: 's:/e', fstype: 'nfs' };
/** As a start mounts below storage of others. */
const pinned = 'mount -c -t xfs -- /dev/drbd1 /proc/8/fd/9/.';

const stories: readonly Story[] = [
  stuck('it never ends: never "stopped", never "not running"', {}),
  stuck('its program was replaced by an upgrade', { exe: '/usr/bin/mount (deleted)' }),
  stuck(
    'a helper',
    { words: '/sbin/mount.x /dev/drbd1 /nfsdata -o rw', exe: '/sbin/mount.x' },
    /^mount\.x \(pid 7\)/,
  ),
  {
    ...stuck('a check of the disk by another name', {}, /fsck\.xfs \(pid 7\).*\/dev\/other/, {
      OCF_RESOURCE_INSTANCE: 't1',
    }),
    given: (m) =>
      untouchable(
        inKernel({
          words: 'fsck.xfs -p /dev/other',
          exe: '/sbin/fsck.xfs',
          files: { environ: 'OCF_RESOURCE_INSTANCE=t1\0' },
        })(m.disk('/dev/other', 147, 1) && m),
      ),
  },
  stuck('one that mounts FUSE by a descriptor', { links: { 'fd/3': '/dev/fuse' } }),
  stuck('a server', { words: 'mount -t nfs s:/e /nfsdata//' }, /pid 7/, nfs),
  {
    ...stuck('by the open directory of a child of ours', {}, /pid 7/),
    given: (m) => untouchable(inKernel({ words: pinned })(m.links.set('/proc/8/fd/9', '/nfsdata') && m)),
  },
  stuck('by that of one that is gone: the source tells', { words: pinned }, /pid 7/),
  stuck('a stop that moved it aside', { words: 'mount -c --move /nfsdata /.nfsdata' }, /pid 7/),
  stuck(
    "umount of a disk's: its data is on its way",
    { words: 'umount -c /nfsdata', exe: '/bin/umount' },
    /^umount \(pid 7\) of a stop/,
  ),
  stuck(
    'our own fsck',
    {
      words: 'fsck.xfs -p /dev/drbd1',
      exe: '/sbin/fsck.xfs',
      files: { environ: 'A=b\0OCF_RESOURCE_INSTANCE=t1\0' },
    },
    /fsck\.xfs \(pid 7\)/,
    { OCF_RESOURCE_INSTANCE: 't1' },
  ),
  {
    ...nobody('by the open directory of a child for another directory', {}),
    given: (m) => inKernel({ words: pinned })(m.links.set('/proc/8/fd/9', '/mnt') && m),
  },
  nobody('the same disk on another directory, as of another subvolume', { words: 'mount /dev/drbd1 /mnt' }),
  {
    what: 'another device is mounted there: a probe cannot tell either',
    given: (m) =>
      untouchable(inKernel()(m.disk('/dev/drbd2', 147, 2))).mounted({
        source: '/dev/drbd2',
        target: '/nfsdata',
        device: '147:2',
      }),
    calls: 'probe 1, stop 1, rec 1',
    mounts: ['/nfsdata'],
  },
  {
    what: 'it mounts after a while: the same stop unmounts that',
    given: (m) => endsAt(7000, untouchable(inKernel()(m)), () => mounted(m)),
    calls: 'stop 0, probe 7',
    mounts: [],
    warns: /still in the kernel.*waiting for its end/,
  },
  {
    what: 'late, and somebody goes there at once: there are a gentle and a forceful half still',
    given: (m) => {
      untouchable(inKernel()(m));
      endsAt(12_000, m, () => {
        mounted(m).process(8, { comm: 'app\n' }, { exe: '/bin/app', cwd: '/nfsdata', 'ns/mnt': 'mnt:[1]' });
        m.onSignal = (pid) => m.endProcess(pid);
      });
    },
    calls: 'stop 0',
    mounts: [],
    after: (m) => expect(signals(m).at(-1)).toBe('signal 15 8'),
  },
  {
    what: 'it mounts while it is looked for',
    given: (m) => {
      inKernel()(m);
      const list = m.list.bind(m);
      m.list = async (dir) => {
        if (dir === '/proc' && m.isLive(7)) {
          m.endProcess(7);
          mounted(m);
        }
        return list(dir);
      };
    },
    calls: 'rec 0, stop 0',
    mounts: [],
  },
  {
    what: 'it gives up after a while',
    given: (m) => endsAt(3000, untouchable(inKernel()(m)), () => undefined),
    calls: 'stop 0, probe 7',
    mounts: [],
    ran: [],
  },
  {
    what: 'one that tries again and again (bg) is ended',
    with: nfs,
    given: inKernel({ words: '/sbin/mount.nfs s:/e /nfsdata -o bg', exe: '/usr/sbin/mount.nfs', state: 'S' }),
    calls: 'probe 1, stop 0, probe 7',
    after: (m) => expect(m.isLive(7)).toBe(false),
  },
  {
    what: 'force_unmount=false ends nobody',
    with: { force_unmount: 'false' },
    given: inKernel({ state: 'S' }),
    calls: 'stop 1',
    after: (m) => expect(signals(m)).toEqual([]),
  },
  {
    what: 'what is mounted is not looked for: monitor of what is there reads no process',
    given: (m) => {
      inKernel()(mounted(m));
      m.list = async (dir) => Promise.reject(new Error(`${dir} is listed`));
    },
    calls: 'rec 0, probe 0',
    silent: true,
  },
  nobody("S10: a user's process of that name", { files: { status: usersOf(1000) } }),
  nobody("S10: a user's mount with the setuid bit", { files: { status: usersOf(1000, 0) } }),
  nobody('S10: called so, but another program', { exe: '/home/eve/mount/x' }),
  nobody('another mount namespace', { links: { 'ns/mnt': 'mnt:[2]' } }),
  nobody('another directory and disk', { words: 'mount /dev/root /nfsdata2' }),
  nobody('another directory and the same server', { words: 'mount -t nfs s:/e /other' }, nfs),
  nobody('a word of that spelling as an option', { words: 'mount -o x=/nfsdata /dev/root /other' }),
  nobody('a program that is called like its argument', { words: '/nfsdata' }),
  nobody(
    "umount of a server's mount, which may hang for ever",
    { words: 'umount -c /nfsdata', exe: '/bin/umount' },
    nfs,
  ),
  nobody('fsck by hand', {
    words: 'fsck.xfs /dev/drbd1',
    exe: '/sbin/fsck.xfs',
    files: { environ: 'A=b\0' },
  }),
  nobody('a driver that the helper has become', {
    exe: '/sbin/mount.exfat-fuse',
    links: { 'fd/5': '/dev/fuse' },
  }),
  {
    ...nobody('a zombie, which has no program', {}),
    given: (m) => inKernel({ state: 'Z' })(m).links.delete('/proc/7/exe'),
  },
];

test.each(stories.map((story) => [story.what, story] as const))('%s', (_what, story) => follow(story));

test('where it cannot be found out whose it is, it is not "not there"', () =>
  follow({
    what: '',
    given: (m) => {
      inKernel()(m);
      const target = m.target.bind(m);
      m.target = async (link) =>
        link === '/proc/7/ns/mnt'
          ? Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }))
          : target(link);
    },
    calls: 'stop 1, probe 1',
    reason: /EACCES/,
  }));
