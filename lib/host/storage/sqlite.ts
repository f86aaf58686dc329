import type { RunTool } from './file-jobs.ts';

/** A row's columns: text, whole numbers, null; blobs are to be asked for as `hex(…)`. */
export type Row = readonly (string | number | null)[];

/** What of bun:sqlite and node:sqlite is used here. Both name a row's columns. */
type Statement = { all(): Readonly<Record<string, string | number | null>>[] };
type Database = { prepare(sql: string): Statement; close(): void };

/** How long another process may keep the database to itself, in milliseconds. */
const patienceMs = 2000;

/**
 * Carries out statements, one after the other, in a database that is there: by Bun, a newer Node, or the Python that pcs and crmsh are
 * written in. Returns the rows of each. Throws the database's own error, or that there is none of these. Synchronous: for a child of
 * ours (storage/file-jobs.ts).
 */
export function queryDatabase(path: string, statements: readonly string[], run: RunTool): readonly Row[][] {
  const all = [`PRAGMA busy_timeout=${patienceMs}`, ...statements];
  const open = opener();
  return (open ? byRuntime(open(path), all) : byPython(path, all, run)).slice(1);
}

function opener(): ((path: string) => Database) | undefined {
  const builtIn = (name: string) =>
    (process.getBuiltinModule as ((name: string) => unknown) | undefined)?.(name) as
      | Readonly<Record<string, new (path: string, options?: object) => Database>>
      | undefined;
  if (process.versions['bun']) {
    const Bun = builtIn('bun:sqlite')?.['Database'];
    return Bun && ((path) => new Bun(path, { readwrite: true, create: false }));
  }
  const Sync = builtIn('node:sqlite')?.['DatabaseSync']; // from Node 22.13 on
  return Sync && ((path) => new Sync(path));
}

function byRuntime(database: Database, statements: readonly string[]): Row[][] {
  try {
    return statements.map((sql) =>
      database
        .prepare(sql)
        .all()
        .map(Object.values<string | number | null>),
    );
  } finally {
    database.close();
  }
}

const python = `import json, pathlib, sqlite3, sys
database = sqlite3.connect(pathlib.Path(sys.argv[1]).as_uri() + "?mode=rw", uri=True, isolation_level=None)
print(json.dumps([database.execute(sql).fetchall() for sql in json.load(sys.stdin)]))`;

function byPython(path: string, statements: readonly string[], run: RunTool): Row[][] {
  // -I: neither PYTHONPATH nor the working directory brings a module of somebody else's
  const { code, stdout, stderr } = run(
    ['python3', '-I', '-c', python, path],
    Buffer.from(JSON.stringify(statements)),
  );
  if (code === 0) return JSON.parse(stdout) as Row[][];
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (said === '' || /ModuleNotFoundError/.test(said))
    throw new Error('neither this runtime nor python3 can read SQLite databases');
  throw new Error(said);
}
