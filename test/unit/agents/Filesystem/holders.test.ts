import { describe, expect, test } from 'vitest';
import { FilesystemMachine } from '../../../fake/filesystem-machine.ts';
import { follow, mounted, type Story, tmpfsOn } from '../../../fake/filesystem-story.ts';
import { hangs, statOf, usersOf } from '../../../fake/machine.ts';

// Who keeps a mount busy when it is to be stopped: processes, the kernel, another mount namespace, a server that does not answer.

type Links = { readonly [name: string]: string };
const holder =
  (links: Links = { cwd: '/nfsdata' }, files: Links = {}, pid = 7) =>
  (machine: FilesystemMachine) => {
    const all = { exe: '/bin/app', cwd: '/', root: '/', 'ns/mnt': 'mnt:[1]', ...links };
    return machine.process(pid, { comm: 'app\n', stat: `${pid} (app) S 1 0`, ...files }, all);
  };
const busy = (links?: Links, files?: Links) => (machine: FilesystemMachine) =>
  holder(links, files)(mounted(machine));
const signals = (machine: FilesystemMachine) =>
  machine.journal.filter((line) => line.startsWith('signal ')).map((line) => line.split(' ')[1]);
const ignoring = (machine: FilesystemMachine) => {
  machine.onSignal = (pid, signal) => void (signal === 9 && machine.endProcess(pid));
};
const timeout = (seconds: number) => ({ CRM_meta_timeout: String(seconds * 1000) });
const silentServer = (machine: FilesystemMachine) => {
  machine.mounted({ source: 's:/e', target: '/nfsdata', device: '0:60', type: 'nfs4' });
  for (const command of ['stat', 'dd', 'mkdir', 'rm'])
    machine.on(command, (_args, asked) => hangs(asked, machine));
};
const exportCache = '/proc/net/rpc/nfsd.export/content';
const flushes = (machine: FilesystemMachine) => machine.ran.filter((line) => line.startsWith('tee ')).length;
const nfs = { fstype: 'nfs', device: 's:/e' };

const stories: readonly Story[] = [
  {
    what: 'Filesystem#81: a working directory: TERM, and it is over at once',
    given: busy(),
    calls: 'stop 0',
    mounts: [],
    after: (m) => expect([signals(m), m.clock < 1000]).toEqual([['15'], true]),
  },
  {
    what: 'Filesystem#82: a process that ignores TERM is killed after three seconds, whatever the timeout',
    with: timeout(600),
    given: (m) =>
      ignoring(
        busy(undefined, { status: 'Name:\tbash\nSigIgn:\t0000000000384004\nSigCgt:\t000000004b813efb\n' })(m),
      ),
    calls: 'stop 0',
    mounts: [],
    after: (m) => {
      expect(signals(m).at(-1)).toBe('9');
      expect(m.clock).toBeGreaterThan(3000);
      expect(m.clock).toBeLessThan(5500);
    },
  },
  {
    what: 'one of two term signals is ignored, the other caught: the half is his',
    with: { ...timeout(40), term_signals: 'HUP TERM' },
    given: (m) =>
      ignoring(
        busy(undefined, { status: 'Name:\tnohup\nSigIgn:\t0000000000000001\nSigCgt:\t0000000000004000\n' })(
          m,
        ),
      ),
    calls: 'stop 0',
    mounts: [],
    after: (m) => expect(m.clock).toBeGreaterThan(15_000),
  },
  {
    what: 'a process that catches TERM and stays is killed in the second half',
    with: timeout(10),
    given: (m) => ignoring(busy()(m)),
    calls: 'stop 0',
    mounts: [],
    after: (m) => {
      expect(signals(m).at(-1)).toBe('9');
      expect(m.clock).toBeGreaterThan(3000);
      expect(m.clock).toBeLessThanOrEqual(5500);
    },
  },
  {
    what: 'Filesystem#83: fast_stop shortens that, whatever the timeout',
    with: { ...timeout(60), fast_stop: 'yes' },
    given: (m) => ignoring(busy()(m)),
    calls: 'stop 0',
    mounts: [],
    after: (m) => expect(m.clock).toBeLessThan(4200),
  },
  {
    what: 'Filesystem#84, D9: force_unmount=false kills nobody, does not spin and says who it is',
    with: { ...timeout(8), force_unmount: 'false' },
    given: busy(),
    calls: 'stop 1',
    reason: /app\[7\] \(cwd \/nfsdata\)/,
    mounts: ['/nfsdata'],
    after: (m) => {
      expect(signals(m)).toEqual([]);
      expect(m.clock).toBeLessThan(8000);
      expect(m.log.length).toBeLessThanOrEqual(10);
      expect(m.ran.length).toBeLessThan(20);
    },
  },
  {
    what: 'Filesystem#85: a loop device is named',
    given: (m) => {
      mounted(m).files.set('/sys/block/loop3/loop/backing_file', '/nfsdata/disk.img\n');
      m.on('umount', () => ({ code: 32, stderr: 'umount: /nfsdata: target is busy.\n' }));
    },
    calls: 'stop 1',
    reason: /loop device loop3 has its backing file \/nfsdata\/disk\.img/,
  },
  {
    what: 'Filesystem#86: a swap file is named',
    given: (m) => {
      mounted(m).files.set('/proc/swaps', 'Filename Type Size Used Priority\n/nfsdata/swap file 4 0 -2\n');
      m.on('umount', () => ({ code: 32, stderr: 'umount: /nfsdata: target is busy.\n' }));
    },
    calls: 'stop 1',
    reason: /swap file \/nfsdata\/swap is in use/,
  },
  {
    what: 'the NFS server is named',
    given: (m) => {
      mounted(m).files.set(exportCache, '#path domain(flags)\n/nfsdata/a\t*(rw)\n# /nfsdata/b\t*(rw)\n');
      m.on('umount', () => ({ code: 32, stderr: 'umount: /nfsdata: target is busy.\n' }));
    },
    calls: 'stop 1',
    reason: /the NFS server exports \/nfsdata\/a; the NFS server has not yet forgotten \/nfsdata\/b/,
    after: (m) => expect(flushes(m)).toBe(0),
  },
  {
    what: 'what the NFS server remembers of an export that is gone is flushed',
    given: (m) => {
      mounted(m).files.set(exportCache, '# /nfsdata\t*(rw)\n');
      m.on('tee', () => void m.files.set(exportCache, ''));
      m.on('umount', () =>
        m.files.get(exportCache) ? { code: 32, stderr: 'umount: /nfsdata: target is busy.\n' } : lost(m),
      );
    },
    calls: 'stop 0',
    mounts: [],
    after: (m) => expect(flushes(m)).toBe(1),
  },
  ...(
    [
      ['a working directory', { cwd: '/nfsdata/x' }, {}],
      [
        'an open file that was deleted',
        { 'fd/4': '/nfsdata/f (deleted)' },
        { 'fdinfo/4': 'pos: 0\nmnt_id: 100\n' },
      ],
      [
        'a mapped file only',
        { 'map_files/7f0-7f1': '/nfsdata/lib.so' },
        { maps: '7f0-7f1 r--p 0 93:01 12 /nfsdata/lib.so\n' },
      ],
    ] as const
  ).map(
    ([what, links, files]): Story => ({
      what: `Filesystem#87: force_unmount=safe finds ${what}`,
      with: { force_unmount: 'safe' },
      given: (m) => {
        busy(links, files)(m);
        const umount = () => (m.isLive(7) ? { code: 32, stderr: 'umount: target is busy.\n' } : lost(m));
        m.on('umount', umount);
      },
      calls: 'stop 0',
      mounts: [],
      after: (m) => expect(signals(m)).toEqual(['15']),
    }),
  ),
  {
    what: 'Filesystem#88, D12: our own caller is never signalled',
    with: timeout(4),
    given: (m) => {
      busy()(m).files.set(`/proc/${m.pid}/stat`, `${m.pid} (node) S 7 ${'0 '.repeat(20)}`);
    },
    calls: 'stop 1',
    mounts: ['/nfsdata'],
    after: (m) => expect(signals(m)).toEqual([]),
  },
  {
    what: 'S11: one that ends between the look and the signal: who has its number by then is left alone',
    given: (m) => {
      busy()(m);
      const read = m.read.bind(m);
      m.read = async (path) => {
        const text = await read(path);
        // the last look at it is for its name
        if (path === '/proc/7/comm') holder({}, { stat: statOf(7, 'innocent', 99_999) })(m);
        return text;
      };
    },
    calls: 'stop 0',
    mounts: [],
    after: (m) => expect([signals(m), m.isLive(7)]).toEqual([[], true]),
  },
  {
    what: 'Filesystem#89: signals in their order, then KILL',
    with: { ...timeout(8), term_signals: 'HUP INT 15', signal_delay: '0.2' },
    given: (m) => ignoring(busy()(m)),
    calls: 'stop 0',
    mounts: [],
    after: (m) => {
      expect(signals(m).slice(0, 6)).toEqual(['1', '2', '15', '1', '2', '15']);
      expect(signals(m).at(-1)).toBe('9');
    },
  },
  {
    what: 'Filesystem#90, D11: a busy mount below ours shares the deadline',
    with: { ...timeout(6), force_unmount: 'false' },
    given: (m) => holder({ cwd: '/nfsdata/sub' })(tmpfsOn('/nfsdata/sub')(mounted(m))),
    calls: 'stop 1',
    reason: /\/nfsdata\/sub/,
    after: (m) => expect(m.clock).toBeLessThan(6000),
  },
  {
    what: 'Filesystem#105, D8: a dead server: monitor of depth 0 reads the mount table only',
    with: nfs,
    given: silentServer,
    calls: 'rec 0',
    ran: [],
    after: (m) => expect(m.clock).toBe(0),
  },
  ...['10', '20'].map(
    (level): Story => ({
      what: `Filesystem#106, D8: its monitor of depth ${level} ends before the timeout and names the path`,
      with: { ...nfs, ...timeout(10) },
      given: silentServer,
      calls: `rec@${level} 1`,
      reason: /^.{0,60}\/nfsdata/,
      after: (m) => expect(m.clock).toBeLessThan(10_000),
    }),
  ),
];

/** The mount is gone from the table. */
function lost(machine: FilesystemMachine): undefined {
  machine.unmounted('/nfsdata');
}

test.each(stories.map((story) => [story.what, story] as const))('%s', (_what, story) => follow(story));

describe('Filesystem#91, D13: another mount namespace', () => {
  const row = '100 1 147:1 / /nfsdata rw - xfs /dev/drbd1 rw\n';
  const elsewhere = (machine: FilesystemMachine) => {
    holder({ 'ns/mnt': 'mnt:[2]', cwd: '/' }, { mountinfo: row })(mounted(machine));
    machine.factsOf.set('/sys/fs/xfs/drbd1', { kind: 'directory' });
  };
  /** What umount says there. */
  const there = (machine: FilesystemMachine, answer: () => { code: number; stderr: string } | undefined) => {
    const here = machine.handler('umount');
    machine.on('umount', (args, command) => (args[0] === '-N' ? answer() : here(args, command)));
  };
  test('that lets go is made to', () =>
    follow({
      what: '',
      given: (m) => {
        elsewhere(m);
        there(m, () => {
          m.files.set('/proc/7/mountinfo', '');
          m.factsOf.delete('/sys/fs/xfs/drbd1');
          return undefined;
        });
      },
      calls: 'stop 0',
      mounts: [],
      after: (m) => expect([m.ran.at(-1), signals(m)]).toEqual(['umount -N 7 -c -i -- /nfsdata', []]),
    }));

  const locked = { code: 32, stderr: 'umount: /nfsdata: not mounted.\n' };
  test.each([
    ['that does not is named: never a false "stopped"', 0, 'stop 1, probe 1', []],
    ['S10: of a user, that cannot: everybody there is ended', 1000, 'stop 0, probe 7', ['15']],
    ["S10: of a service with a user of systemd's making is nobody's to end", 61_200, 'stop 1, probe 1', []],
  ])('%s', (_what, user, calls, sent) =>
    follow({
      what: '',
      given: (m) => {
        elsewhere(m);
        m.files.set('/proc/7/status', usersOf(user));
        there(m, () => locked);
        m.onSignal = (pid) => {
          m.endProcess(pid);
          m.factsOf.delete('/sys/fs/xfs/drbd1');
        };
      },
      calls,
      after: (m) => {
        if (user !== 1000) expect(m.clock).toBeLessThan(20_000);
        expect(signals(m)).toEqual(calls.includes('probe 7') ? [] : sent);
      },
    }),
  );
});

test('what is mapped is searched for only after the links, or when they show nobody', async () => {
  const machine = busy({ cwd: '/nfsdata' })(new FilesystemMachine());
  holder(
    { 'map_files/7f0-7f1': '/nfsdata/lib.so' },
    { maps: '7f0-7f1 r--p 0 93:01 12 /nfsdata/lib.so\n' },
    8,
  )(machine);
  machine.on('umount', () =>
    [7, 8].some((pid) => machine.isLive(pid))
      ? { code: 32, stderr: 'umount: /nfsdata: target is busy.\n' }
      : lost(machine),
  );
  expect(await machine.call('stop')).toMatchObject({ code: 0 });
  expect(machine.journal.filter((line) => line.startsWith('signal '))).toEqual([
    'signal 15 7',
    'signal 15 8',
  ]);
});
