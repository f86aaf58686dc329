import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSandbox, type Sandbox } from './sandbox.ts';

// The cases that neither parity nor a defect shows, with the real exportfs of nfs-utils. `FOLDER` stands for the sandbox's directory, which
// has the directories a and b and the file f.

type Params = { readonly [name: string]: string | number };
type Row = {
  readonly what: string;
  readonly with?: Params;
  readonly given?: (box: Sandbox) => Promise<unknown>;
  /** `action code`, separated by commas; `probe` and `rec` are monitors without and with an interval. */
  readonly calls: string;
  /** Lines of etab afterwards, from the beginning on. */
  readonly etab?: readonly RegExp[];
  readonly reason?: RegExp;
  readonly warns?: RegExp;
  readonly after?: (box: Sandbox) => Promise<unknown>;
};

const a = { clientspec: '*', options: 'rw', fsid: 105, rmtab_backup: 'none', directory: 'FOLDER/a' };
const both = { ...a, directory: 'FOLDER/a FOLDER/b' };
const byHand =
  (...exported: readonly string[]) =>
  async (box: Sandbox) =>
    box.run(
      'exportfs',
      '-i',
      '-o',
      'rw,fsid=105',
      ...exported.map((one) => one.replaceAll('FOLDER', box.folder)),
    );
const life = 'start 0, rec 0, stop 0, rec 7';
const unlock = '/proc/fs/nfsd/unlock_filesystem';
const mount = (path: string, count: number) => `10.0.0.7:${path}:0x0000000${count}\n`;

const rows: readonly Row[] = [
  {
    what: '2: no such directory',
    with: { directory: '/no_such' },
    calls: 'start 6',
    reason: /does not exist/,
    etab: [],
  },
  { what: '4: an action that nobody knows', calls: 'no_cmd 3', reason: /not supported/ },
  { what: '8: stop without the directory', with: { directory: '/no_such' }, calls: 'stop 0' },
  {
    what: '12: one of two directories is missing',
    with: { directory: 'FOLDER/a /no_such' },
    calls: 'start 6',
    etab: [],
  },
  {
    what: '16, X14: its stop',
    with: { directory: 'FOLDER/a /no_such' },
    given: byHand('*:FOLDER/a'),
    calls: 'stop 0',
    etab: [],
  },
  { what: '18: two directories, an action that nobody knows', with: both, calls: 'no_cmd 3' },
  {
    what: '21: no tools',
    with: { OCF_TESTER_FAIL_HAVE_BINARY: 1 },
    calls: 'probe 7, rec 7, stop 0, start 5',
  },
  { what: '22: no client', with: { clientspec: '' }, calls: 'start 6, rec 6, validate-all 6, stop 0' },
  { what: '23: no directory', with: { directory: '' }, calls: 'start 6, rec 6, validate-all 6, stop 0' },
  {
    what: '26: fsids are counted on from the options',
    with: { ...both, options: 'rw,fsid=20', fsid: '' },
    calls: 'start 0',
    etab: [/^FOLDER\/a\t.*fsid=20,/, /^FOLDER\/b\t.*fsid=21,/],
  },
  {
    what: '27: the parameter wins',
    with: { options: 'rw,fsid=20,sync', fsid: 33 },
    calls: 'start 0',
    etab: [/fsid=33,/],
  },
  {
    what: '29, X17: two directories without fsid',
    with: { ...both, fsid: '' },
    calls: 'start 0',
    etab: [/^FOLDER\/a\t((?!fsid).)*$/, /^FOLDER\/b\t((?!fsid).)*$/],
  },
  { what: '31: a file', with: { directory: 'FOLDER/f' }, calls: 'start 5', etab: [] },
  { what: '34, X11: IPv6 without brackets', with: { clientspec: '2001:db8::5' }, calls: life, etab: [] },
  {
    what: '35, X11: IPv6 in another spelling',
    with: { clientspec: '[2001:DB8:0:0::5]' },
    calls: life,
    etab: [],
  },
  {
    what: '36, X11: a pattern in brackets',
    with: { clientspec: '[ab]-host.example.com' },
    calls: life,
    etab: [],
  },
  { what: '37: Kerberos', with: { clientspec: 'gss/krb5' }, calls: life, etab: [] },
  { what: '39: upper case', with: { clientspec: 'FULL.example.com' }, calls: life, etab: [] },
  {
    what: '42: two clients',
    with: { clientspec: '10.0.0.0/24 10.0.1.0/24' },
    calls: 'start 6, stop 0',
    etab: [],
  },
  {
    what: '43, X9: only a longer path is exported',
    given: byHand('*:FOLDER/a/sub'),
    calls: 'rec 7, stop 0',
    etab: [/a\/sub/],
  },
  {
    what: '44, X15: only to another client',
    given: byHand('10.0.0.0/8:FOLDER/a'),
    calls: 'rec 7, stop 0',
    etab: [/10\.0\.0/],
  },
  {
    what: '57: rmtab_backup=none',
    given: (box) => box.write('/var/lib/nfs/rmtab', mount(`${box.folder}/a`, 1)),
    calls: 'start 0, rec 0, stop 0',
    after: async (box) => expect(await box.run('ls', '-A', `${box.folder}/a`)).toBe('sub'),
  },
  {
    what: '58: a backup in a directory that is not there',
    with: { rmtab_backup: 'no/such/rm' },
    given: (box) => box.write('/var/lib/nfs/rmtab', mount(`${box.folder}/a`, 1)),
    calls: 'start 0, rec 0, stop 0',
  },
  {
    what: '61, X18: the same client with two counts',
    with: { rmtab_backup: '.rm' },
    given: async (box) => {
      await box.write('/var/lib/nfs/rmtab', mount(`${box.folder}/a`, 2));
      await box.write(`${box.folder}/a/.rm`, mount(`${box.folder}/a`, 1));
    },
    calls: 'start 0',
    after: async (box) =>
      expect(await box.read('/var/lib/nfs/rmtab')).toBe(mount(`${box.folder}/a`, 2).trimEnd()),
  },
  {
    what: '63, X4: locks are released',
    calls: 'start 0, stop 0',
    after: async (box) => expect(await box.read(unlock)).toBe(`${box.folder}/a`),
  },
  {
    what: '64: unlock_on_stop=no',
    with: { unlock_on_stop: 'no' },
    calls: 'start 0, stop 0',
    after: async (box) => expect(await box.read(unlock)).toBe(''),
  },
  {
    what: '65: no unlock file',
    given: (box) => box.run('sh', '-c', `rm ${unlock}; mount -o remount,ro /proc/fs/nfsd`),
    calls: 'start 0, stop 0',
    warns: /cannot release the locks/,
    etab: [],
    after: (box) => box.run('mount', '-o', 'remount,rw', '/proc/fs/nfsd'),
  },
  {
    what: '67: no lease time',
    with: { wait_for_leasetime_on_stop: 1 },
    calls: 'start 0, stop 0',
    warns: /lease time is not known/,
  },
  {
    what: '70: exportfs unexports neither directory',
    with: both,
    given: async (box) => {
      await byHand('*:FOLDER/a', '*:FOLDER/b')(box);
      const script = join(box.folder, 'exportfs');
      writeFileSync(script, '#!/bin/sh\necho no >&2\nexit 1\n', { mode: 0o755 });
      await box.run('mount', '--bind', script, '/usr/sbin/exportfs');
    },
    calls: 'stop 0',
    etab: [],
    after: (box) => box.run('umount', '/usr/sbin/exportfs'),
  },
  {
    what: '76: the root directory',
    with: { directory: '/' },
    calls: 'start 0, rec 0',
    etab: [/^\/\t/],
    warns: /whole root filesystem/,
  },
  {
    what: '77: a clone',
    with: { fsid: 0, meta_clone: 1, meta_clone_max: 2 },
    calls: 'start 0, rec 0',
    etab: [/fsid=0,/],
  },
  {
    what: '78, X23: unexported by hand',
    given: (box) => box.run('exportfs', '-ua'),
    calls: 'rec 7',
    reason: /not exported/,
  },
  {
    what: 'X22: its filesystem is not mounted yet',
    with: { directory: '/no_such' },
    calls: 'validate-all 0',
  },
];

let box: Sandbox;
beforeAll(async () => {
  box = await openSandbox();
  for (const name of ['a', 'b', 'a/sub']) box.directory(name);
  writeFileSync(join(box.folder, 'f'), '');
});
afterAll(() => box.close());

const numbered = rows.map((row) => [row.what.replace(/^(?=\d)/, 'exportfs#'), row] as const);

test.each(numbered)('%s', async (_what, row) => {
  for (const file of ['/var/lib/nfs/etab', '/var/lib/nfs/rmtab', unlock]) await box.write(file, '');
  await box.run('rm', '-rf', `${box.folder}/memory/tsha`, `${box.folder}/memory/share`);
  await row.given?.(box);
  const here = (text: string) => text.replaceAll('FOLDER', box.folder);
  const given = Object.entries({ ...a, ...row.with }).map(([name, value]) => [name, here(String(value))]);
  const params: Params = Object.fromEntries(given);
  let said = '';
  for (const [at, call] of row.calls.split(', ').entries()) {
    const [name = '', code] = call.split(' ');
    const action = name === 'rec' || name === 'probe' ? 'monitor' : name;
    const answer = await box.ours(action, { ...params, ...(name === 'rec' && { meta_interval: 10_000 }) });
    expect(answer, `call ${at}: ${call}`).toMatchObject({ code: Number(code), stdout: '' });
    if (row.reason && answer.reason) expect(answer.reason).toMatch(row.reason);
    said += answer.stderr;
  }
  if (row.warns) expect(said).toMatch(row.warns);
  await row.after?.(box);
  if (!row.etab) return;
  const lines = (await box.read('/var/lib/nfs/etab')).split('\n').filter(Boolean).sort();
  expect(lines.map((line) => line.replaceAll(box.folder, 'FOLDER'))).toEqual(
    row.etab.map((pattern) => expect.stringMatching(pattern)),
  );
});
