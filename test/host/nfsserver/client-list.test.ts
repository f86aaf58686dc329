import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Told } from '../../../lib/host/jobs.ts';
import type { RunTool } from '../../../lib/host/storage/file-jobs.ts';
import { queryDatabase } from '../../../lib/host/storage/sqlite.ts';
import { openDirectory } from '../../../lib/host/sys/open-directory.ts';
import { compiler } from '../../../packaging/native.ts';
import { hotJournal } from '../../fake/hot-journal.ts';
import { agentUnderTest } from '../agent-under-test.ts';

// Databases as nfsdcld of nfs-utils 2.3.4 to 2.8 makes them, and SQLite itself.

const agent = await agentUnderTest('nfsserver');
let state = '';
let file = '';
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'tsha-list-'));
  file = join(state, 'nfsdcld/main.sqlite');
  mkdirSync(join(state, 'nfsdcld'));
});
afterEach(() => rmSync(state, { recursive: true }));

const python = (script: string, ...args: readonly string[]): string =>
  execFileSync(
    'python3',
    ['-c', `import sqlite3, sys\nd = sqlite3.connect(sys.argv[1])\n${script}`, file, ...args],
    { encoding: 'utf8' },
  );

const make = (...statements: readonly string[]): string =>
  python('d.executescript(sys.argv[2])', statements.join(';\n'));

/** `epoch name hash`, in order. */
const rows = (): readonly string[] =>
  python(`for (table,) in d.execute("SELECT name FROM sqlite_master WHERE name LIKE 'rec-%' ORDER BY name").fetchall():
  for row in d.execute('SELECT * FROM "%s" ORDER BY id' % table):
    print(int(table[4:], 16), *[x.decode() if x else '-' for x in row])`)
    .split('\n')
    .filter(Boolean);

const grace = (current: number, recovery: number) => [
  'CREATE TABLE grace (current INTEGER, recovery INTEGER)',
  `INSERT INTO grace VALUES (${current}, ${recovery})`,
];
const padded = (epoch: number) => `rec-${epoch.toString(16).padStart(16, '0')}`;
const list = (table: string, names: readonly string[], hash = 'h') => [
  `CREATE TABLE "${table}" (id BLOB PRIMARY KEY${hash && ', princhash BLOB'})`,
  ...names.map(
    (name) => `INSERT INTO "${table}" VALUES (CAST('${name}' AS BLOB)${hash && `, CAST('${hash}' AS BLOB)`})`,
  ),
];

/** In the place of the database's journal: SQLite would remove `victim`. */
function plantTrap(): string {
  const victim = join(state, 'victim');
  writeFileSync(victim, 'theirs\n');
  writeFileSync(`${file}-journal`, hotJournal(statSync(file).size / 4096, victim));
  return victim;
}

const hex = (...names: readonly string[]) => names.map((name) => Buffer.from(name).toString('hex'));

const runtimes = { Node: process.execPath, Bun: compiler() };

describe.each(Object.keys(runtimes) as (keyof typeof runtimes)[])('in %s', (runtime) => {
  async function change(
    add: readonly string[],
    remove: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<Told> {
    const order = {
      anchor: state,
      way: [],
      job: 'changeClientList',
      ask: { add: hex(...add), remove: hex(...remove) },
    };
    const { stdout } = await execa(runtimes[runtime], [agent, 'beneath'], {
      input: JSON.stringify(order),
      env,
      cwd: '/',
      timeout: 100_000,
    });
    return JSON.parse(stdout) as Told;
  }

  test.each<readonly [what: string, database: readonly string[], after: readonly string[]]>([
    [
      'after grace',
      [...grace(17, 0), ...list(padded(17), ['new', 'old'])],
      ['17 a -', "17 b'c\\ -", '17 new h'],
    ],
    [
      'in grace: with the principal of the list before',
      [...grace(18, 17), ...list(padded(18), ['old'], 'i'), ...list(padded(17), ['a', 'z'])],
      ['17 a h', '17 z h', '18 a h', "18 b'c\\ -"],
    ],
    [
      'a list without principals (nfs-utils before 2.4.3)',
      [...grace(2, 1), ...list(padded(2), ['old', 'x'], ''), ...list(padded(1), ['a'], '')],
      ['1 a', '2 a', "2 b'c\\", '2 x'],
    ],
    [
      'a list whose number has no zeros before it (nfs-utils 2.5.2)',
      [...grace(31, 0), ...list('rec-1f', ['old'])],
      ['31 a -', "31 b'c\\ -"],
    ],
    [
      'whoever is on it already keeps what is known of him',
      [...grace(5, 0), ...list(padded(5), ['a'])],
      ['5 a h', "5 b'c\\ -"],
    ],
  ])('%s', async (_, database, after) => {
    make(...database);
    expect(await change(['a', "b'c\\"], ['old'])).toEqual({ answer: 'changed' });
    expect(rows()).toEqual(after);
  });

  test('nfsdcld has none: nothing is made', async () => {
    expect(await change(['a'], [])).toEqual({ answer: 'absent' });
    rmSync(join(state, 'nfsdcld'), { recursive: true });
    expect(await change(['a'], [])).toEqual({ answer: 'absent' });
  });

  test.each<readonly [what: string, make: () => unknown, trouble: RegExp]>([
    ['no list of this epoch', () => make(...grace(9, 0), ...list(padded(8), ['a'])), /no list of epoch 9/],
    [
      'a list whose name is more than one',
      () => make(...grace(9, 0), 'CREATE TABLE "rec-9"" (id) VALUES (1);" (id)'),
      /no list of epoch 9/,
    ],
    ['another database', () => make('CREATE TABLE t (x)'), /no such table: grace/],
    ['no database at all', () => execFileSync('sh', ['-c', `seq 1000 > ${file}`]), /not a database/],
    ['a link', () => symlinkSync('/etc/passwd', file), /main.sqlite is a symbolic link: it is not opened/],
    [
      'a file with another name',
      () => {
        make(...grace(9, 0));
        linkSync(file, join(state, 'other'));
      },
      /main.sqlite is a file with another name: it is not opened/,
    ],
    [
      'a link in the journal’s place',
      () => {
        make(...grace(9, 0), ...list(padded(9), []));
        symlinkSync('/etc/passwd', `${file}-journal`);
      },
      /-journal is a symbolic link: it is not opened/,
    ],
    [
      'S26: a journal that has SQLite remove a file',
      () => {
        make(...grace(9, 0), ...list(padded(9), []));
        plantTrap();
      },
      /-journal names a file that would be removed: it is not opened/,
    ],
  ])('%s: refused, and nothing changed', async (_, prepare, trouble) => {
    prepare();
    const before = readFileSync(file);
    expect(await change(['a'], [])).toMatchObject({ trouble: expect.stringMatching(trouble) });
    expect(readFileSync(file)).toEqual(before);
  });

  test('another process has it to itself: 2 s, then that is said', async () => {
    make(...grace(9, 0), ...list(padded(9), []));
    const other = execa('python3', [
      '-c',
      'import sqlite3, sys\nd = sqlite3.connect(sys.argv[1], isolation_level=None)\nd.execute("BEGIN EXCLUSIVE")\nprint("has it", flush=True)\nsys.stdin.read()',
      file,
    ]);
    await new Promise((resolve) => other.stdout.once('data', resolve));
    expect(await change(['a'], [])).toMatchObject({ trouble: expect.stringMatching(/locked/) });
    other.stdin.end();
    await other;
    expect(await change(['a'], [])).toEqual({ answer: 'changed' });
  });

  test('no Python that has SQLite', async () => {
    make(...grace(9, 0), ...list(padded(9), []));
    const told = await change(['a'], [], { PATH: state });
    expect(told).toMatchObject({ trouble: expect.stringMatching(/no python3 that can read SQLite/) });
  });
});

test('S26: a journal that comes after the look reaches nothing outside of its directory', () => {
  make(...grace(9, 0), ...list(padded(9), []));
  const victim = plantTrap();
  const run: RunTool = ([program, ...args], input) => {
    const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
    return { code: status ?? 1, stdout, stderr };
  };
  const home = openDirectory(join(state, 'nfsdcld'));
  expect(queryDatabase(home, 'main.sqlite', ['SELECT current FROM grace'], run)).toEqual([[[9]]]);
  expect([existsSync(victim), existsSync(`${file}-journal`)]).toEqual([true, false]);
  plantTrap();
  expect(rows()).toEqual([]);
  expect(existsSync(victim), 'for the journal is one that SQLite plays back').toBe(false);
});
