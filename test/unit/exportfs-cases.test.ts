import { expect, test } from 'vitest';
import { type ExportingMachine, etabLine } from '../fake/exports.ts';
import { hangs } from '../fake/machine.ts';
import { node, type Params } from './exportfs-node.ts';

// The specification's cases by their numbers, one row each. A row calls actions in turn ("probe" and "rec" are monitors without and
// with an interval) and compares each exit code, then etab. 19, 20 and 75 need the installed file, 72 the real exportfs: they are in
// test/host/exportfs.test.ts.

type Row = {
  readonly what: string;
  readonly with?: Params;
  readonly given?: (machine: ExportingMachine) => unknown;
  /** `action code`, separated by commas. */
  readonly calls: string;
  /** `path client` of what is left in etab. */
  readonly etab?: readonly string[];
  readonly options?: RegExp;
  readonly reason?: RegExp;
  readonly warns?: RegExp;
  /** How many lines the log may have at most. */
  readonly quiet?: number;
  readonly after?: (machine: ExportingMachine) => unknown;
};

const single = { directory: '/usr', fsid: '105' };
const double = { directory: '/usr /var', fsid: '105' };
const [usr, both] = [['/usr *'], ['/usr *', '/var *']] as const;
const listed =
  (...lines: readonly string[]) =>
  (m: ExportingMachine) =>
    (m.etab = lines.join(''));
const life = 'start 0, rec 0, stop 0, rec 7';
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
const alias = (m: ExportingMachine) => void m.hostNames.set('short', 'full.example.com');

const rows: { readonly [number: number]: Row } = {
  1: { what: 'one directory', with: single, calls: 'start 0', etab: usr, options: /fsid=105/ },
  2: {
    what: 'no such directory',
    with: { directory: '/no_such' },
    calls: 'start 6',
    reason: /does not exist/,
  },
  3: {
    what: 'a UUID',
    with: { ...single, fsid: '4f838db14f838db14f838db14f838db1' },
    calls: 'start 0',
    etab: usr,
  },
  4: { what: 'unknown action', with: single, calls: 'no_cmd 3', reason: /not supported/ },
  5: { what: 'stop', with: single, calls: 'start 0, stop 0', etab: [] },
  6: { what: 'start twice', with: single, calls: 'start 0, start 0', etab: usr },
  7: { what: 'stop twice', with: single, calls: 'stop 0, stop 0', etab: [] },
  8: { what: 'stop without the directory', with: { directory: '/no_such' }, calls: 'stop 0' },
  9: { what: 'monitor, exported', with: single, calls: 'start 0, probe 0, rec 0' },
  10: { what: 'monitor, not exported', with: single, calls: 'probe 7, rec 7' },
  11: { what: 'two directories', with: double, calls: 'start 0', etab: both, options: /fsid=106/ },
  12: {
    what: 'one of two missing',
    with: { ...double, directory: '/usr /no_such' },
    calls: 'start 6',
    etab: [],
  },
  13: { what: 'fsid=root for two', with: { ...double, fsid: 'root' }, calls: 'start 6', reason: /decimal/ },
  14: { what: 'stop of two', with: double, calls: 'start 0, stop 0', etab: [] },
  15: { what: 'two, each twice', with: double, calls: 'start 0, start 0, stop 0, stop 0', etab: [] },
  16: {
    what: 'stop with one of two missing',
    with: { ...double, directory: '/usr /no_such' },
    given: listed(etabLine('/usr', '*')),
    calls: 'stop 0',
    etab: [],
  },
  17: { what: 'monitor of two', with: double, calls: 'rec 7, start 0, rec 0' },
  18: { what: 'two, unknown action', with: double, calls: 'no_cmd 3' },
  21: {
    what: 'no tools at all',
    with: single,
    given: (m) => Object.assign(m.env, { OCF_TESTER_FAIL_HAVE_BINARY: '1' }),
    calls: 'probe 7, rec 7, stop 0, start 5',
  },
  22: {
    what: 'no clientspec',
    with: { ...single, clientspec: '' },
    calls: 'start 6, rec 6, validate-all 6, stop 0',
  },
  23: { what: 'no directory', with: { directory: '' }, calls: 'start 6, rec 6, validate-all 6, stop 0' },
  24: {
    what: 'a comma in fsid',
    with: { ...single, fsid: '1,2' },
    calls: 'validate-all 6, start 6, probe 7, rec 1, stop 0',
  },
  25: {
    what: 'two and a UUID',
    with: { ...double, fsid: 'a-b' },
    calls: 'validate-all 6, start 6, probe 7, rec 1, stop 0',
  },
  26: {
    what: 'two, counted from the options',
    with: { directory: '/usr /var', options: 'fsid=20' },
    calls: 'start 0',
    options: /fsid=20(.|\n)*fsid=21/,
  },
  27: {
    what: 'the parameter wins',
    with: { directory: '/usr', options: 'fsid=20', fsid: '33' },
    calls: 'start 0',
    options: /fsid=33/,
  },
  28: {
    what: 'E1: neither options nor fsid',
    with: { directory: '/usr' },
    calls: 'start 0, rec 0',
    etab: usr,
  },
  29: {
    what: 'two without fsid',
    with: { directory: '/usr /var' },
    calls: 'start 0',
    etab: both,
    options: /^((?!fsid)(.|\n))*$/,
  },
  30: {
    what: 'a link, and a slash behind it',
    with: { directory: '/tmp/link/' },
    given: (m) => m.links.set('/tmp/link', '/srv/a') && m.directories.add('/tmp/link'),
    calls: life,
  },
  31: {
    what: 'a file',
    with: { directory: '/etc/passwd' },
    given: (m) => m.files.set('/etc/passwd', ''),
    calls: 'start 5',
  },
  32: {
    what: 'a path of 44 characters',
    with: { directory: `/${'a'.repeat(43)}` },
    given: (m) => m.directories.add(`/${'a'.repeat(43)}`),
    calls: life,
  },
  33: { what: 'IPv6', with: { ...single, clientspec: '[2001:db8::]/64' }, calls: life, etab: [] },
  34: { what: 'IPv6 without brackets', with: { ...single, clientspec: '2001:db8::5' }, calls: life },
  35: {
    what: 'IPv6 in another spelling',
    with: { ...single, clientspec: '[2001:DB8:0:0::5]' },
    given: listed(etabLine('/usr', '2001:DB8:0:0::5')),
    calls: 'rec 0, stop 0',
    etab: [],
  },
  36: {
    what: 'a pattern in brackets',
    with: { ...single, clientspec: '[ab]-host.example.com' },
    calls: life,
  },
  37: { what: 'a netgroup', with: { ...single, clientspec: '@grp' }, calls: life },
  38: { what: 'E7: an alias', with: { ...single, clientspec: 'short' }, given: alias, calls: life, etab: [] },
  39: {
    what: 'E7: upper case',
    with: { ...single, clientspec: 'FULL.example.com' },
    given: listed(etabLine('/usr', 'full.example.com')),
    calls: 'rec 0, stop 0',
    etab: [],
  },
  40: {
    what: 'E8: a name that DNS no longer knows',
    with: { ...single, clientspec: 'full.example.com' },
    given: (m) => {
      m.etab = etabLine('/usr', 'full.example.com');
      m.on('exportfs', (_args, command) => hangs(command, m));
    },
    calls: 'rec 0, stop 0',
    etab: [],
    after: (m) => expect(m.ran.filter((line) => line.startsWith('getent'))).toEqual([]),
  },
  41: {
    what: 'a network with its mask',
    with: { ...single, clientspec: '10.0.0.0/255.255.255.0' },
    calls: life,
  },
  42: {
    what: 'two clients',
    with: { ...single, clientspec: '10.0.0.0/24 10.0.1.0/24' },
    calls: 'start 6, stop 0',
    reason: /a resource for each/,
  },
  43: {
    what: 'a longer path',
    with: { directory: '/var' },
    given: listed(etabLine('/srv/var', '*')),
    calls: 'rec 7',
  },
  44: { what: 'another client', with: single, given: listed(etabLine('/usr', '10.0.0.0/8')), calls: 'rec 7' },
  45: {
    what: 'E4: the same directory for two networks',
    with: { ...single, clientspec: '10.0.0.0/24' },
    given: (m) => {
      m.etab = etabLine('/usr', '10.0.0.0/24') + etabLine('/usr', '10.0.1.0/24');
      m.files.set(cache, '/usr\t10.0.1.0/24(rw,fsid=105)\n');
    },
    calls: 'stop 0',
    etab: ['/usr 10.0.1.0/24'],
    after: (m) => expect(m.clock).toBeLessThan(5000),
  },
  46: {
    what: 'E2: a part',
    with: double,
    given: listed(etabLine('/usr', '*')),
    calls: 'rec 1',
    reason: /\/var/,
  },
  47: {
    what: 'E2: stop of a part',
    with: double,
    given: listed(etabLine('/usr', '*')),
    calls: 'stop 0',
    etab: [],
  },
  48: {
    what: 'E3: the mark of the start is lost',
    with: single,
    given: listed(etabLine('/usr', '*')),
    calls: 'probe 0, stop 0, probe 7',
    etab: [],
  },
  49: {
    what: 'X8: etab of before the crash, nfsd is down',
    with: single,
    given: (m) => listed(etabLine('/usr', '*'))(m.stopNfsd()),
    calls: 'probe 7',
  },
  50: {
    what: 'E9: other options than configured',
    with: { directory: '/usr', options: 'ro', fsid: '6' },
    given: listed(etabLine('/usr', '*', 'rw,fsid=5')),
    calls: 'rec 0, start 0',
    warns: /other options/,
    options: /\(ro,.*fsid=6/,
  },
  51: {
    what: 'an unknown option',
    with: { directory: '/usr', options: 'rw,bogus' },
    calls: 'start 1, probe 7',
    etab: [],
  },
  52: {
    what: 'E13: a blank in the options',
    with: { directory: '/usr', options: 'rw, sync' },
    calls: 'start 6',
    etab: [],
  },
  53: {
    what: 'X21: a blank in the directory',
    with: { directory: '/tmp/e x' },
    given: (m) => m.directories.add('/tmp/e x'),
    calls: 'start 0, rec 0',
    etab: ['/tmp/e\\040x *'],
  },
  54: {
    what: 'rmtab of this directory only',
    with: backup,
    given: withRmtab(client('/srv/a') + client('/srv/a/sub') + client('/srv/ab')),
    calls: 'rec 0',
    after: file('/srv/a/.rmtab', client('/srv/a') + client('/srv/a/sub')),
  },
  55: {
    what: 'restored on start',
    with: backup,
    given: (m) => {
      withRmtab('')(m);
      m.files.set('/srv/a/.rmtab', client('/srv/a'));
    },
    calls: 'start 0',
    after: file('/var/lib/nfs/rmtab', client('/srv/a')),
  },
  56: {
    what: 'X19: no rmtab',
    with: backup,
    given: (m) => {
      withRmtab('')(m);
      m.files.delete('/var/lib/nfs/rmtab');
    },
    calls: 'rec 0, stop 0, start 0',
    quiet: 0,
  },
  57: {
    what: 'rmtab_backup=none',
    with: { directory: '/srv/a' },
    given: withRmtab(client('/srv/a')),
    calls: 'rec 0, stop 0',
    after: file('/srv/a/.rmtab', undefined),
  },
  58: {
    what: 'a backup in a directory that is not there',
    with: { ...backup, rmtab_backup: 'sub/dir/rm' },
    given: (m) => {
      withRmtab(client('/srv/a'))(m);
      m.on('dd', () => ({ code: 1, stderr: 'dd: No such file or directory\n' }));
    },
    calls: 'start 0, rec 0, rec 0, stop 0',
    warns: /back up rmtab/,
    quiet: 1,
  },
  59: {
    what: 'a backup on a read-only filesystem',
    with: backup,
    given: (m) => {
      withRmtab(client('/srv/a'))(m);
      m.on('dd', () => ({ code: 1, stderr: 'dd: Read-only file system\n' }));
    },
    calls: 'start 0, rec 0, rec 0, stop 0',
    quiet: 1,
  },
  60: {
    what: 'E5: only the second directory has clients',
    with: { ...backup, directory: '/srv/a /srv/b' },
    given: withRmtab(client('/srv/b')),
    calls: 'rec 0',
    after: file('/srv/b/.rmtab', client('/srv/b')),
  },
  61: {
    what: 'the same client with two counts',
    with: backup,
    given: (m) => {
      withRmtab(client('/srv/a', 2))(m);
      m.files.set('/srv/a/.rmtab', client('/srv/a', 1));
    },
    calls: 'start 0',
    after: file('/var/lib/nfs/rmtab', client('/srv/a', 2)),
  },
  62: {
    what: 'mountd replaces rmtab during the restore',
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
  63: { what: 'locks are released', with: double, calls: 'start 0, stop 0', after: file(unlock, '/var\n') },
  64: {
    what: 'unlock_on_stop=no',
    with: { ...single, unlock_on_stop: 'no' },
    calls: 'start 0, stop 0',
    quiet: 0,
    after: file(unlock, ''),
  },
  65: {
    what: 'no unlock file',
    with: single,
    given: (m) => m.files.delete(unlock),
    calls: 'start 0, stop 0',
    warns: /locks/,
  },
  66: {
    what: 'X1, E15: nobody holds a lease',
    with: waits,
    given: lease('90', false),
    calls: 'stop 0',
    after: (m) => expect(m.clock).toBe(0),
  },
  67: {
    what: 'no lease time',
    with: waits,
    given: listed(etabLine('/usr', '*')),
    calls: 'stop 0',
    warns: /lease/,
  },
  68: {
    what: 'X2: a lease longer than the timeout',
    with: { ...waits, CRM_meta_timeout: '20000' },
    given: lease('90', true),
    calls: 'stop 0',
    warns: /too short/,
    after: (m) => expect(m.clock).toBeLessThan(20_000),
  },
  69: {
    what: 'E4: the cache fills again and again',
    with: single,
    given: (m) => {
      m.etab = etabLine('/usr', '*');
      m.files.set(cache, '/usr\t*(rw,fsid=105)\n');
    },
    calls: 'stop 0',
    warns: /cache/,
    after: (m) => {
      expect(m.ran.filter((line) => line.startsWith('tee /proc/net/rpc')).length).toBeLessThanOrEqual(10);
    },
  },
  70: {
    what: 'E6: the first cannot be unexported',
    with: double,
    given: (m) => {
      m.etab = etabLine('/usr', '*') + etabLine('/var', '*');
      m.refusesToUnexport.add('/usr');
    },
    calls: 'stop 0',
    etab: [],
  },
  71: {
    what: 'E6: the second cannot be exported',
    with: double,
    given: (m) =>
      m.on('exportfs', (args) => {
        if (args.at(-1) === '*:/var' && !args.includes('-u')) return { code: 1, stderr: 'exportfs: no\n' };
        m.etab = args.includes('-u') ? '' : etabLine('/usr', '*');
        return '';
      }),
    calls: 'start 1',
    etab: [],
  },
  73: { what: 'E10: status', with: single, calls: 'status 7, start 0, status 0' },
  74: { what: 'E11: monitor says nothing', with: single, calls: 'start 0, rec 0', quiet: 0 },
  76: { what: 'the root directory', with: { directory: '/' }, calls: 'start 0', etab: ['/ *'] },
  77: {
    what: 'a clone with fsid=0',
    with: { ...single, fsid: '0', CRM_meta_clone: '1', CRM_meta_clone_max: '2' },
    calls: 'start 0, rec 0',
  },
};

test.each(Object.entries(rows))('exportfs %s: $what', async (_number, row) => {
  const { machine, run, warnings } = node({ rmtab_backup: 'none', ...row.with }, row.given);
  for (const [at, call] of row.calls.split(', ').entries()) {
    const [action = '', code] = call.split(' ');
    const result = await (action === 'rec'
      ? run('monitor', '10000')
      : run(action === 'probe' ? 'monitor' : action));
    expect(result, `call ${at}: ${call}`).toMatchObject({ code: Number(code) });
    if (row.reason && result.code > 0) expect(result.reason).toMatch(row.reason);
  }
  if (row.options) expect(machine.etab).toMatch(row.options);
  if (row.warns) expect(warnings.join('\n')).toMatch(row.warns);
  if (row.quiet !== undefined) expect(warnings.length, warnings.join('\n')).toBeLessThanOrEqual(row.quiet);
  row.after?.(machine);
  if (row.etab) expect(machine.exported).toEqual(row.etab);
});

test('exportfs 78: X23: unexported by hand', async () => {
  const { machine, code, watch } = node({ ...single, rmtab_backup: 'none' });
  await code('start');
  machine.etab = '';
  expect(await watch()).toMatchObject({ code: 7, reason: expect.stringContaining('not exported') });
});
