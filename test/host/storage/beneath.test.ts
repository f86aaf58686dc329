import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobName, Told } from '../../../lib/host/jobs.ts';
import { compiler } from '../../../packaging/native.ts';
import { agentUnderTest } from '../agent-under-test.ts';

// What somebody with root on a client of the exported filesystem may leave there, and every job of ours that comes by: in both runtimes.
// Outside lies a folder that nobody may read or change through any of it.

const agent = await agentUnderTest('nfsserver');
const patienceMs = 100_000;
let base = '';
let dir = '';
let outside = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'tsha-beneath-'));
  dir = join(base, 'disk');
  outside = join(base, 'outside');
  for (const folder of [dir, outside, join(outside, 'folder')]) mkdirSync(folder);
  writeFileSync(join(outside, 'secret'), 'secret\n');
  // anything opened there would be seen
  execFileSync('mkfifo', [join(outside, 'pipe')]);
});
afterEach(() => rmSync(base, { recursive: true }));

const snapshot = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const facts = lstatSync(join(folder, name));
      const text = facts.isFile() ? readFileSync(join(folder, name), 'utf8') : '';
      return [name, facts.mode, facts.uid, facts.gid, facts.nlink, facts.mtimeMs, text].join(' ');
    });

const runtimes = { Node: process.execPath, Bun: compiler() };
type Runtime = keyof typeof runtimes;

/** As `lib/host/storage/beneath.ts` asks a child of ours. */
async function ask(
  runtime: Runtime,
  job: JobName,
  asked: object,
  way: readonly string[] = [],
  prefix: readonly string[] = [],
): Promise<Told> {
  const [file = '', ...args] = [...prefix, runtimes[runtime], agent, 'beneath'];
  const { stdout } = await execa(file, args, {
    input: JSON.stringify({ anchor: dir, way, job, ask: asked }),
    timeout: patienceMs,
    cwd: '/',
  });
  return JSON.parse(stdout) as Told;
}

const owner = { uid: 65534, gid: 65534 };
/** Every job, on a file called `victim` or on the files of statd and of the NFS server. */
const jobs: readonly (readonly [JobName, object])[] = [
  ['readFile', { path: 'victim', most: 100 }],
  ['readFile', { path: 'victim/below', most: 100 }],
  ['replaceFile', { path: 'victim/below', text: 'ours' }],
  ['writeFile', { path: 'victim/below', text: 'ours' }],
  ['appendFile', { path: 'victim', text: 'ours' }],
  ['appendFile', { path: 'victim/below', text: 'ours' }],
  ['removeFile', { path: 'victim/below' }],
  ['mountAt', { path: 'victim/below', calls: [['--bind', '--', '{}', '/nonexistent']] }],
  ['mountAt', { path: 'victim', calls: [['--bind', '--', '{}', '/nonexistent']] }],
  ['writeAndRead', { path: 'victim', content: 'ours', block: 4096, direct: false }],
  ['writeAndRead', { path: 'victim/below', content: 'ours', block: 4096, direct: false }],
];

/** What lies there instead of a file or a directory. */
const plants: Readonly<Record<string, (at: string) => void>> = {
  'a link to a file': (at) => symlinkSync(join(outside, 'secret'), at),
  'a link to a folder': (at) => symlinkSync(join(outside, 'folder'), at),
  'a link to nothing': (at) => symlinkSync(join(outside, 'new'), at),
  'a link to a link': (at) => {
    symlinkSync(join(outside, 'secret'), `${at}.2`);
    symlinkSync(`${at}.2`, at);
  },
  'a FIFO': (at) => execFileSync('mkfifo', [at]),
  'a device': (at) => execFileSync('mknod', [at, 'b', '7', '250']),
  'the null device': (at) => execFileSync('mknod', [at, 'c', '1', '3']),
  'a socket': (at) =>
    execFileSync('python3', [
      '-c',
      'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
      at,
    ]),
};

describe.each(Object.keys(runtimes) as Runtime[])('in %s', (runtime) => {
  test.each(Object.keys(plants).flatMap((plant) => jobs.map(([job, asked]) => [plant, job, asked] as const)))(
    'S2, S6: %s is refused by %s %j',
    async (plant, job, asked) => {
      plants[plant]?.(join(dir, 'victim'));
      const before = snapshot(outside);
      expect(await ask(runtime, job, asked)).toMatchObject({
        isRefused: true,
        trouble: expect.stringContaining('victim'),
      });
      expect(snapshot(outside)).toEqual(before);
    },
  );

  test.each(Object.keys(plants))('S2: %s in the place of a file is replaced, not followed', async (plant) => {
    for (const job of ['replaceFile', 'writeFile'] as const) {
      plants[plant]?.(join(dir, job));
      const before = snapshot(outside);
      expect(await ask(runtime, job, { path: job, text: 'ours\n' })).toEqual({ answer: null });
      expect(readFileSync(join(dir, job), 'utf8')).toBe('ours\n');
      expect(lstatSync(join(dir, job)).isFile()).toBe(true);
      expect(snapshot(outside)).toEqual(before);
    }
  });

  test('a file with another name is not written in place: that may be somebody else’s file', async () => {
    const other = join(base, 'other');
    writeFileSync(other, 'theirs\n');
    linkSync(other, join(dir, 'list'));
    await ask(runtime, 'writeFile', { path: 'list', text: 'ours\n' });
    expect([readFileSync(other, 'utf8'), readFileSync(join(dir, 'list'), 'utf8')]).toEqual([
      'theirs\n',
      'ours\n',
    ]);
    linkSync(other, join(dir, 'status'));
    await ask(runtime, 'writeAndRead', { path: 'status', content: 'ours', block: 512, direct: false });
    expect(readFileSync(other, 'utf8')).toBe('theirs\n');
  });

  test('a file that is longer than it may be is not read', async () => {
    writeFileSync(join(dir, 'long'), 'x'.repeat(101));
    expect(await ask(runtime, 'readFile', { path: 'long', most: 100 })).toMatchObject({ isRefused: true });
  });

  test.each(['../outside/secret', '/etc/passwd', '..', '.', '', 'a/../../outside/secret'])(
    'a path that leads out: %j',
    async (path) => {
      mkdirSync(join(dir, 'a'));
      expect(await ask(runtime, 'readFile', { path, most: 100 })).toMatchObject({ isRefused: true });
    },
  );

  test('a link on the way from the anchor is not followed', async () => {
    symlinkSync(outside, join(dir, 'way'));
    const told = await ask(runtime, 'readFile', { path: 'secret', most: 100 }, ['way']);
    expect(told).toMatchObject({ isRefused: true });
  });

  const statd = { path: '', owner, mode: 0o700, hasCallout: true, speaksV3: true };
  test.each(Object.keys(plants))(
    'S1, S2, S5: %s instead of what the NFS server keeps is moved aside',
    async (plant) => {
      const names = [
        'sm',
        'sm.bak',
        'sm.tsha',
        'sm.ha',
        'state',
        'v4recovery',
        'nfsdcld',
        'rpc_pipefs',
        'etab',
        'rmtab',
        'reserve',
      ];
      for (const name of names) plants[plant]?.(join(dir, name));
      const before = snapshot(outside);
      const root = await ask(runtime, 'furnish', { hasCallout: true });
      const statds = await ask(runtime, 'furnishStatd', statd);
      const moved = [root, statds].flatMap((told) =>
        'answer' in told ? (told.answer as { moved: string[] }).moved : [told.trouble],
      );
      expect(moved).toHaveLength(names.length);
      for (const name of names) expect(moved).toContainEqual(expect.stringContaining(`/${name} was a`));
      for (const name of ['sm', 'sm.bak', 'v4recovery'])
        expect(lstatSync(join(dir, name)).isDirectory()).toBe(true);
      expect(readFileSync(join(dir, 'state'))).toHaveLength(4);
      expect(snapshot(outside)).toEqual(before);
    },
  );

  test.each(Object.keys(plants))('S1: records go to no place of others: sm.bak is %s', async (plant) => {
    mkdirSync(join(dir, 'sm'));
    writeFileSync(join(dir, 'sm/client'), 'record\n');
    plants[plant]?.(join(dir, 'sm.bak'));
    const before = snapshot(outside);
    for (const [job, asked] of [
      ['keep', { into: 'sm.bak' }],
      ['retire', { from: 'sm' }],
      ['waiting', {}],
      ['settle', { name: 'a', own: { state: 1, told: ['client', 'secret'], passed: [] } }],
      ['hasRetiredSince', { since: 0 }],
    ] as const)
      expect(await ask(runtime, job, asked)).toMatchObject({ isRefused: true });
    expect(readFileSync(join(dir, 'sm/client'), 'utf8')).toBe('record\n');
    expect(snapshot(outside)).toEqual(before);
  });

  test('S1: what lies among the notes of those who tell clients is not followed: it is waited for, and goes in the end', async () => {
    for (const list of ['sm', 'sm.bak', 'sm.told']) mkdirSync(join(dir, list));
    const all = Object.entries(plants);
    for (const [index, [, plant]] of all.entries()) plant(join(dir, 'sm.told', `plant${index}`));
    writeFileSync(join(dir, 'sm.bak/client'), 'a b c d e 10.0.0.51 here\n');
    const before = snapshot(outside);
    const own = { state: 1, told: ['client'], passed: [] };
    const awaited = all.map((_plant, index) => `plant${index}`);
    const first = await ask(runtime, 'settle', { name: 'a', own });
    expect(first).toEqual({ answer: { struck: [], awaited: expect.arrayContaining(awaited) } });
    const last = await ask(runtime, 'settle', { name: 'a', own: { ...own, isUp: true } });
    expect(last).toEqual({ answer: { struck: ['client'], awaited: [] } });
    expect(readdirSync(join(dir, 'sm.bak'))).toEqual([]);
    expect(snapshot(outside)).toEqual(before);
  });

  test('S1: among records, what is no file is left alone', async () => {
    for (const list of ['sm', 'sm.bak']) mkdirSync(join(dir, list));
    for (const [index, plant] of Object.values(plants).entries()) plant(join(dir, 'sm', `plant${index}`));
    writeFileSync(join(dir, 'sm/client'), 'a b c d e 10.0.0.51 here\n');
    const before = snapshot(outside);
    await ask(runtime, 'keep', { into: 'sm.bak' });
    await ask(runtime, 'retire', { from: 'sm' });
    expect(await ask(runtime, 'waiting', {})).toEqual({ answer: [{ file: 'client', client: '10.0.0.51' }] });
    expect(readdirSync(join(dir, 'sm.bak'))).toEqual(['client']);
    expect(snapshot(outside)).toEqual(before);
  });

  test('S7: 9,000 records with long names are retired, told and forgotten by three processes', {
    timeout: patienceMs,
  }, async () => {
    for (const list of ['sm', 'sm.bak']) mkdirSync(join(dir, list));
    const names = Array.from({ length: 9000 }, (_, index) => `${index}.${'x'.repeat(240)}`);
    for (const name of names) writeFileSync(join(dir, 'sm', name), `a b c d e ${name} here\n`);
    expect(await ask(runtime, 'retire', { from: 'sm' })).toEqual({ answer: null });
    const told = await ask(runtime, 'waiting', {});
    expect('answer' in told && (told.answer as unknown[]).length).toBe(9000);
    const own = { state: 1, told: names, passed: [] };
    expect(await ask(runtime, 'settle', { name: 'a', own })).toEqual({
      answer: { struck: names, awaited: [] },
    });
    expect([readdirSync(join(dir, 'sm')), readdirSync(join(dir, 'sm.bak'))]).toEqual([[], []]);
  });

  test('S7: records are kept and retired with few descriptors', async () => {
    for (const list of ['sm', 'sm.bak']) mkdirSync(join(dir, list));
    const names = Array.from({ length: 200 }, (_, index) => `client${index}`);
    for (const name of names) writeFileSync(join(dir, 'sm', name), `a b c d e ${name} here\n`);
    const limited = ['prlimit', '--nofile=64:64'];
    expect(await ask(runtime, 'keep', { into: 'sm.bak' }, [], limited)).toEqual({ answer: null });
    expect(await ask(runtime, 'retire', { from: 'sm' }, [], limited)).toEqual({ answer: null });
    expect([readdirSync(join(dir, 'sm')), readdirSync(join(dir, 'sm.bak')).length]).toEqual([[], 200]);
  });

  test('nothing there is an answer, a directory that is none is none', async () => {
    expect(await ask(runtime, 'readFile', { path: 'a/b', most: 1 })).toEqual({ answer: null });
    expect(await ask(runtime, 'removeFile', { path: 'a' })).toEqual({ answer: null });
    expect(await ask(runtime, 'readFile', { path: 'a', most: 1 }, ['no'])).toMatchObject({ code: 'ENOENT' });
    expect(existsSync(join(dir, 'a'))).toBe(false);
  });
});
