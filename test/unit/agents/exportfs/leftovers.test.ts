import { expect, test } from 'vitest';
import { double, follow, listed, type Story, single } from '../../../fake/exportfs-story.ts';
import { type ExportingMachine, etabLine } from '../../../fake/exports.ts';

// What outlives an export: mountd's list of mounts, locks, leases, the kernel's cache.

const withRmtab = (text: string) => (m: ExportingMachine) => {
  m.etab = etabLine('/srv/a', '*', '') + etabLine('/srv/b', '*', '');
  m.mount('/srv/a', '147:1').mount('/srv/b', '147:2');
  m.files.set('/var/lib/nfs/rmtab', text);
};
const client = (path: string, count = 1) => `10.0.0.7:${path}:0x0000000${count}\n`;
const file = (path: string, text: string | undefined) => (m: ExportingMachine) =>
  expect(m.files.get(path)).toBe(text);
const backup = { directory: '/srv/a', rmtab_backup: '.rmtab' };
const unlock = '/proc/fs/nfsd/unlock_filesystem';
const cache = '/proc/net/rpc/nfsd.export/content';
const lease = (seconds: string, holds: boolean) => (m: ExportingMachine) => {
  m.etab = etabLine('/usr', '*');
  m.files.set('/proc/fs/nfsd/nfsv4leasetime', seconds);
  m.factsOf.set('/proc/fs/nfsd/clients', { kind: 'directory' });
  if (holds)
    m.files.set('/proc/fs/nfsd/clients/1/states', '- 0x1: { type: open, superblock: "08:01:131" }\n');
};
const waits = { ...single, wait_for_leasetime_on_stop: 'true' };

const stories: readonly Story[] = [
  {
    what: 'exportfs#54: rmtab of this directory only',
    with: backup,
    given: withRmtab(client('/srv/a') + client('/srv/a/sub') + client('/srv/ab')),
    calls: 'rec 0',
    after: file('/srv/a/.rmtab', client('/srv/a') + client('/srv/a/sub')),
  },
  {
    what: 'exportfs#55: restored on start',
    with: backup,
    given: (m) => {
      withRmtab('')(m);
      m.files.set('/srv/a/.rmtab', client('/srv/a'));
    },
    calls: 'start 0',
    after: file('/var/lib/nfs/rmtab', client('/srv/a')),
  },
  {
    what: 'exportfs#56, X19: no rmtab',
    with: backup,
    given: (m) => {
      withRmtab('')(m);
      m.files.delete('/var/lib/nfs/rmtab');
    },
    calls: 'rec 0, stop 0, start 0',
    quiet: 0,
  },
  {
    what: 'exportfs#57: rmtab_backup=none',
    with: { directory: '/srv/a' },
    given: withRmtab(client('/srv/a')),
    calls: 'rec 0, stop 0',
    after: file('/srv/a/.rmtab', undefined),
  },
  {
    what: 'exportfs#58: a backup in a directory that is not there',
    with: { ...backup, rmtab_backup: 'sub/dir/rm' },
    given: (m) => {
      withRmtab(client('/srv/a'))(m);
      m.on('dd', () => ({ code: 1, stderr: 'dd: No such file or directory\n' }));
    },
    calls: 'start 0, rec 0, rec 0, stop 0',
    warns: /back up rmtab/,
    quiet: 1,
  },
  {
    what: 'exportfs#59: a backup on a read-only filesystem',
    with: backup,
    given: (m) => {
      withRmtab(client('/srv/a'))(m);
      m.on('dd', () => ({ code: 1, stderr: 'dd: Read-only file system\n' }));
    },
    calls: 'start 0, rec 0, rec 0, stop 0',
    quiet: 1,
  },
  {
    what: 'exportfs#60, E5: only the second directory has clients',
    with: { ...backup, directory: '/srv/a /srv/b' },
    given: withRmtab(client('/srv/b')),
    calls: 'rec 0',
    after: file('/srv/b/.rmtab', client('/srv/b')),
  },
  {
    what: 'exportfs#61: the same client with two counts',
    with: backup,
    given: (m) => {
      withRmtab(client('/srv/a', 2))(m);
      m.files.set('/srv/a/.rmtab', client('/srv/a', 1));
    },
    calls: 'start 0',
    after: file('/var/lib/nfs/rmtab', client('/srv/a', 2)),
  },
  {
    what: 'exportfs#62: mountd replaces rmtab during the restore',
    with: backup,
    given: (m) => {
      withRmtab('')(m);
      m.files.set('/srv/a/.rmtab', client('/srv/a'));
      let once = false;
      m.onTick = () => {
        if (once || m.files.get('/var/lib/nfs/rmtab') !== client('/srv/a')) return;
        once = true;
        m.files.set('/var/lib/nfs/rmtab', client('/other'));
      };
    },
    calls: 'start 0',
    after: file('/var/lib/nfs/rmtab', client('/other') + client('/srv/a')),
  },
  {
    what: 'exportfs#63: locks are released',
    with: double,
    calls: 'start 0, stop 0',
    after: (m) => expect(m.unlocked).toEqual(['/usr', '/var']),
  },
  {
    what: 'exportfs#64: unlock_on_stop=no',
    with: { ...single, unlock_on_stop: 'no' },
    calls: 'start 0, stop 0',
    quiet: 0,
    after: file(unlock, ''),
  },
  {
    what: 'exportfs#65: no unlock file',
    with: single,
    given: (m) => m.files.delete(unlock),
    calls: 'start 0, stop 0',
    warns: /locks/,
  },
  {
    what: 'exportfs#66, X1, E15: nobody holds a lease',
    with: waits,
    given: lease('90', false),
    calls: 'stop 0',
    after: (m) => expect(m.clock).toBe(0),
  },
  {
    what: 'exportfs#67: no lease time',
    with: waits,
    given: listed(['/usr']),
    calls: 'stop 0',
    warns: /lease/,
  },
  {
    what: 'exportfs#68, X2: a lease longer than the timeout',
    with: { ...waits, CRM_meta_timeout: '20000' },
    given: lease('90', true),
    calls: 'stop 0',
    warns: /too short/,
    after: (m) => expect(m.clock).toBeLessThan(20_000),
  },
  {
    what: 'exportfs#69, E4: the cache fills again and again',
    with: single,
    given: (m) => {
      m.etab = etabLine('/usr', '*');
      m.files.set(cache, '/usr\t*(rw,fsid=105)\n');
    },
    calls: 'stop 0',
    warns: /cache/,
    after: (m) => {
      expect(m.ran.filter((line) => line.startsWith('tee /proc/net/rpc')).length).toBeLessThanOrEqual(12);
    },
  },
  {
    what: 'exportfs#56: no rmtab, and a backup with lines: it is made',
    with: backup,
    given: (m) => {
      withRmtab('')(m);
      m.files.delete('/var/lib/nfs/rmtab');
      m.files.set('/srv/a/.rmtab', client('/srv/a'));
    },
    calls: 'start 0',
    quiet: 0,
    after: file('/var/lib/nfs/rmtab', client('/srv/a')),
  },
];

test.each(stories.map((story) => [story.what, story] as const))('%s', (_what, story) => follow(story));
