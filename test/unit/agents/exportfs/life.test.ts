import { expect, test } from 'vitest';
import { node } from '../../../fake/exportfs-node.ts';
import { double, follow, listed, type Story, single } from '../../../fake/exportfs-story.ts';
import type { ExportingMachine } from '../../../fake/exports.ts';

// The life of an export: what is refused, what is exported, what is left when something fails.

const [usr, both] = [['/usr *'], ['/usr *', '/var *']] as const;
const mark = '/run/resource-agents/share';

const stories: readonly Story[] = [
  {
    what: 'exportfs#1: one directory',
    with: single,
    calls: 'start 0',
    etab: usr,
    options: /fsid=105/,
    after: (m) => expect(m.files.has(mark)).toBe(true),
  },
  {
    what: 'exportfs#2: no such directory',
    with: { directory: '/no_such' },
    calls: 'start 6',
    reason: /does not exist/,
  },
  {
    what: 'exportfs#3: a UUID',
    with: { ...single, fsid: '4f838db14f838db14f838db14f838db1' },
    calls: 'start 0',
    etab: usr,
  },
  {
    what: 'exportfs#4: unknown action',
    with: single,
    calls: 'no_cmd 3',
    reason: /not supported \(start, stop, monitor/,
  },
  { what: 'exportfs#5: stop', with: single, calls: 'start 0, stop 0', etab: [] },
  { what: 'exportfs#6: start twice', with: single, calls: 'start 0, start 0', etab: usr },
  { what: 'exportfs#7: stop twice', with: single, calls: 'stop 0, stop 0', etab: [] },
  { what: 'exportfs#8: stop without the directory', with: { directory: '/no_such' }, calls: 'stop 0' },
  { what: 'exportfs#9: monitor, exported', with: single, calls: 'start 0, probe 0, rec 0' },
  { what: 'exportfs#10: monitor, not exported', with: single, calls: 'probe 7, rec 7' },
  { what: 'exportfs#11: two directories', with: double, calls: 'start 0', etab: both, options: /fsid=106/ },
  {
    what: 'exportfs#12: one of two missing',
    with: { ...double, directory: '/usr /no_such' },
    calls: 'start 6',
    etab: [],
  },
  {
    what: 'exportfs#13: fsid=root for two',
    with: { ...double, fsid: 'root' },
    calls: 'start 6',
    reason: /decimal/,
  },
  { what: 'exportfs#14: stop of two', with: double, calls: 'start 0, stop 0', etab: [] },
  { what: 'exportfs#15: two, each twice', with: double, calls: 'start 0, start 0, stop 0, stop 0', etab: [] },
  {
    what: 'exportfs#16, X14: stop with one of two missing',
    with: { ...double, directory: '/usr /no_such' },
    given: listed(['/usr']),
    calls: 'stop 0',
    etab: [],
  },
  { what: 'exportfs#17: monitor of two', with: double, calls: 'rec 7, start 0, rec 0' },
  { what: 'exportfs#18: two, unknown action', with: double, calls: 'no_cmd 3' },
  {
    what: 'exportfs#21: no tools at all',
    with: single,
    given: (m) => Object.assign(m.env, { OCF_TESTER_FAIL_HAVE_BINARY: '1' }),
    calls: 'probe 7, rec 7, stop 0, start 5, validate-all@10 5',
  },
  {
    what: 'exportfs#22: no clientspec',
    with: { ...single, clientspec: '' },
    calls: 'start 6, rec 6, validate-all 6, stop 0',
  },
  {
    what: 'exportfs#23: no directory',
    with: { directory: '' },
    calls: 'start 6, rec 6, validate-all 6, stop 0',
  },
  {
    what: 'exportfs#24: a comma in fsid',
    with: { ...single, fsid: '1,2' },
    calls: 'validate-all 6, start 6, probe 7, rec 1, stop 0',
  },
  {
    what: 'exportfs#25: two and a UUID',
    with: { ...double, fsid: 'a-b' },
    calls: 'validate-all 6, start 6, probe 7, rec 1, stop 0',
  },
  {
    what: 'exportfs#26: two, counted from the options',
    with: { directory: '/usr /var', options: 'fsid=20' },
    calls: 'start 0',
    options: /fsid=20(.|\n)*fsid=21/,
  },
  {
    what: 'exportfs#27: the parameter wins',
    with: { directory: '/usr', options: 'fsid=20', fsid: '33' },
    calls: 'start 0',
    options: /fsid=33/,
  },
  {
    what: 'exportfs#28, E1, X17: neither options nor fsid',
    with: { directory: '/usr' },
    calls: 'start 0, rec 0',
    etab: usr,
  },
  {
    what: 'exportfs#29, X17: two without fsid',
    with: { directory: '/usr /var' },
    calls: 'start 0',
    etab: both,
    options: /^((?!fsid)(.|\n))*$/,
  },
  {
    what: 'exportfs#31: a file',
    with: { directory: '/etc/passwd' },
    given: (m) => m.files.set('/etc/passwd', ''),
    calls: 'start 5',
  },
  {
    what: 'exportfs#46, E2: a part',
    with: double,
    given: listed(['/usr']),
    calls: 'rec 1',
    reason: /\/var/,
  },
  {
    what: 'exportfs#47, E2: stop of a part',
    with: double,
    given: listed(['/usr']),
    calls: 'stop 0',
    etab: [],
  },
  {
    what: 'exportfs#48, E3: the mark of the start is lost',
    with: single,
    given: listed(['/usr']),
    calls: 'probe 0, stop 0, probe 7',
    etab: [],
  },
  {
    what: 'exportfs#49, X8: etab of before the crash, nfsd is down',
    with: single,
    given: (m) => listed(['/usr'])(m.stopNfsd()),
    calls: 'probe 7',
  },
  {
    what: 'exportfs#50, E9: other options than configured',
    with: { directory: '/usr', options: 'ro', fsid: '6' },
    given: listed(['/usr', '*', 'rw,fsid=5']),
    calls: 'rec 0, start 0',
    warns: /other options/,
    options: /\(ro,.*fsid=6/,
  },
  {
    what: 'exportfs#51: an unknown option',
    with: { directory: '/usr', options: 'rw,bogus' },
    calls: 'start 1, probe 7',
    etab: [],
    after: (m) => expect(m.files.has(mark)).toBe(false),
  },
  {
    what: 'exportfs#52, E13: a blank in the options',
    with: { directory: '/usr', options: 'rw, sync' },
    calls: 'start 6',
    etab: [],
  },
  {
    what: 'exportfs#70, E6: the first cannot be unexported',
    with: double,
    given: (m) => {
      listed(['/usr'], ['/var'])(m);
      m.refusesToUnexport.add('/usr');
    },
    calls: 'stop 0',
    etab: [],
  },
  {
    what: 'exportfs#71, E6: the second cannot be exported',
    with: double,
    given: (m) =>
      m.on('exportfs', (args) => {
        if (args.at(-1) === '*:/var' && !args.includes('-u')) return { code: 1, stderr: 'exportfs: no\n' };
        listed(...(args.includes('-u') ? [] : [['/usr'] as const]))(m);
        return 'exporting *:/usr\n';
      }),
    calls: 'start 1',
    etab: [],
  },
  { what: 'exportfs#73, E10: status', with: single, calls: 'status 7, start 0, status 0' },
  { what: 'exportfs#74, E11: monitor says nothing', with: single, calls: 'start 0, rec 0', quiet: 0 },
  {
    what: 'exportfs#76: the root directory',
    with: { directory: '/' },
    calls: 'start 0',
    etab: ['/ *'],
    warns: /whole root filesystem/,
  },
  {
    what: 'exportfs#77: a clone with fsid=0',
    with: { ...single, fsid: '0', CRM_meta_clone: '1', CRM_meta_clone_max: '2' },
    calls: 'start 0, rec 0',
  },
  {
    what: 'X4: locks are released unless told otherwise',
    with: single,
    calls: 'start 0, stop 0',
    after: (m) => expect(m.files.get('/proc/fs/nfsd/unlock_filesystem')).toBe('/usr\n'),
  },
  {
    what: 'X14: the directory is gone',
    given: (m) => listed(['/no_such'])(m),
    with: { directory: '/no_such', fsid: '105' },
    calls: 'probe 0, rec 0, stop 0, rec 7',
    etab: [],
  },
  {
    what: 'X16: the fsid of a single directory is not counted on, however often it starts',
    with: single,
    calls: 'start 0, start 0, stop 0, start 0',
    options: /fsid=105,/,
  },
  ...['tmpfs', 'overlay', 'fuse.sshfs'].map(
    (type): Story => ({
      what: `X17: without fsid, on ${type}`,
      with: { directory: '/srv/a' },
      given: (m) => onType(m, `0:50 / /srv/a rw - ${type} x rw`),
      calls: 'start 0',
      warns: new RegExp(`/srv/a lies on ${type}.*set fsid`),
    }),
  ),
  {
    what: 'X17: a subvolume of btrfs',
    with: { directory: '/srv/a' },
    given: (m) => onType(m, '0:50 /A /srv/a rw - btrfs /dev/drbd1 rw'),
    calls: 'start 0',
    warns: /set fsid/,
  },
  {
    what: 'X17: with fsid, or on a filesystem with a UUID, nothing is said',
    with: { directory: '/srv/a', fsid: '7' },
    given: (m) => onType(m, '0:50 / /srv/a rw - tmpfs x rw'),
    calls: 'start 0',
    quiet: 0,
  },
  {
    what: 'X22: its filesystem is not mounted yet',
    with: { directory: '/no_such', fsid: '105' },
    calls: 'validate-all 0, validate-all@10 0',
    quiet: 0,
  },
];

function onType(machine: ExportingMachine, row: string): void {
  machine.files.set('/proc/self/mountinfo', `1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 ${row}\n`);
}

test.each(stories.map((story) => [story.what, story] as const))('%s', (_what, story) => follow(story));

test('exportfs#78, X23: unexported by hand', async () => {
  const { machine, code, watch } = node({ ...single, rmtab_backup: 'none' });
  await code('start');
  machine.etab = '';
  expect(await watch()).toMatchObject({ code: 7, reason: expect.stringContaining('not exported') });
});

test('exportfs#72: 50 resources start at once, none loses an entry', async () => {
  const { machine } = node(single);
  const paths = Array.from({ length: 50 }, (_, n) => `/srv/${n}`);
  for (const path of paths) machine.directories.add(path);
  const starts = paths.map((path) => {
    const one = node({ directory: path, rmtab_backup: 'none', OCF_RESOURCE_INSTANCE: path.slice(1) });
    for (const key of ['files', 'directories'] as const) Object.assign(one.machine, { [key]: machine[key] });
    return one.code('start');
  });
  expect(await Promise.all(starts)).toEqual(paths.map(() => 0));
  expect(machine.exported).toHaveLength(paths.length);
});

test('X20: a steady monitor says nothing, not even for information', async () => {
  const { machine, code, watch, said } = node(single);
  await code('start');
  said.length = 0;
  for (let round = 0; round < 3; round++) expect((await watch()).code).toBe(0);
  expect([said, machine.ran]).toEqual([[], []]);
});

test('X24: telling NFSv3 clients of a move is nfsnotify’s work', async () => {
  const { machine, run } = node({ ...single, rmtab_backup: '.rmtab' });
  const commands: string[] = [];
  for (const action of ['start', 'stop', 'start']) {
    await run(action);
    commands.push(...machine.ran);
  }
  expect(commands.filter((line) => !/^(exportfs|stat|cat|tee|dd|mv) /.test(line))).toEqual([]);
});
