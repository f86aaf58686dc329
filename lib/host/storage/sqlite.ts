import type { Directory } from '../sys/directory.ts';
import type { RunTool } from './file-jobs.ts';

// Databases in directories that others may write to, by a child of ours (file-jobs.ts).

/** A row's columns: text, whole numbers, null; blobs are to be asked for as `hex(…)`. */
export type Row = readonly (string | number | null)[];

/** How long another process may keep the database to itself, in seconds. */
const patience = 2;

/** As the end of a rollback journal: a name stands before it. */
const namesFile = 'd9d505f920a163d7';

/**
 * Whether the journal of a database names a file that whoever opens the database next removes, wherever it is: its super-journal, as of a
 * transaction over several databases (sqlite.org/atomiccommit.html, 5.5). nfs-utils writes to one at a time.
 */
export const hasTrap = (dir: Directory, database: string): boolean =>
  dir.tail(`${database}-journal`, namesFile.length / 2)?.toString('hex') === namesFile;

// SQLite knows no other way to a database than its name, and a journal may come between a look and it: so it gets a root directory in
// which nothing else is. Neither Node nor Bun has chroot(2).
const program = `import json, os, sqlite3, sys
statements = json.load(sys.stdin)
os.chroot(sys.argv[1])
os.chdir("/")
try:
    database = sqlite3.connect("file:/" + sys.argv[2] + "?mode=rw", timeout=${patience}, uri=True, isolation_level=None)
    print(json.dumps([database.execute(sql).fetchall() for sql in statements]))
except sqlite3.Error as error:
    sys.exit(str(error))`;

/** What pcs and crmsh are written in; on RHEL 8 pcs has one of its own. */
const interpreters = ['python3', '/usr/libexec/platform-python'];

/**
 * Carries out statements, one after the other, in a database that is there. Returns the rows of each. Throws the database's own error, or
 * that there is nobody to read it.
 */
export function queryDatabase(
  dir: Directory,
  name: string,
  statements: readonly string[],
  run: RunTool,
): readonly Row[][] {
  const input = Buffer.from(JSON.stringify(statements));
  for (const python of interpreters) {
    // -I: neither PYTHONPATH nor the working directory brings a module of somebody else's
    const { code, stdout, stderr } = run([python, '-I', '-c', program, dir.pinned(), name], input);
    if (code === 0) return JSON.parse(stdout) as Row[][];
    const said = stderr.trim().split('\n').at(-1) ?? '';
    if (said !== '' && !/ModuleNotFoundError/.test(said)) throw new Error(said);
  }
  throw new Error('there is no python3 that can read SQLite databases');
}
