import type { RunTool } from '../storage/file-jobs.ts';
import { hasTrap, queryDatabase } from '../storage/sqlite.ts';
import { type Directory, RefusedError } from '../sys/directory.ts';

// nfsdcld's database (nfs-utils, `nfsdcld/main.sqlite`), by a child of ours: for each start of the server, its epoch, a table of the NFSv4
// clients that may claim at the next one. `grace` has the epoch that runs, and the one whose clients may claim now, 0 after grace.

const folder = 'nfsdcld';
const database = 'main.sqlite';

export type Change = {
  /** Clients' own names for themselves, in hexadecimal. */
  readonly add: readonly string[];
  readonly remove: readonly string[];
};

/** What came of it; `absent`: nfsdcld has no database here. */
export type Changed = 'changed' | 'absent';

/** Puts clients on the list of the server that runs, and takes others off it. */
export function changeClientList(dir: Directory, { add, remove }: Change, run: RunTool): Changed {
  const home = dir.sub(folder);
  if (home?.facts(database) === undefined) return 'absent';
  for (const name of [database, ...['-journal', '-wal', '-shm'].map((end) => `${database}${end}`)]) {
    const facts = home.facts(name);
    if (facts && (facts.kind !== 'file' || facts.links > 1))
      throw new RefusedError(
        `${home.path}/${name} is ${facts.kind === 'file' ? 'a file with another name' : `a ${facts.kind}`}: it is not opened`,
      );
  }
  if (hasTrap(home, database))
    throw new RefusedError(
      `${home.path}/${database}-journal names a file that would be removed: it is not opened`,
    );
  const ask = (...statements: readonly string[]) => queryDatabase(home, database, statements, run);
  const [[epochs = []] = [], tables = []] = ask(
    'SELECT current, recovery FROM grace',
    `SELECT t.name, max(c.name = 'princhash') FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name LIKE 'rec-%' GROUP BY t.name`,
  );
  const [current, recovery] = epochs;
  // nfs-utils 2.5.2 wrote the number without zeros before it
  const lists = tables
    .map(([name, hash]) => ({ name: String(name), hasHash: hash === 1 }))
    .filter(({ name }) => /^rec-[0-9a-f]+$/.test(name));
  const listOf = (epoch: unknown) => lists.find(({ name }) => Number.parseInt(name.slice(4), 16) === epoch);
  const list = listOf(current);
  if (list === undefined) throw new Error(`nfsdcld has no list of epoch ${current}`);
  const before = recovery === 0 ? undefined : listOf(recovery);
  // the hash of a Kerberos principal, which a claim is held against (nfs-utils 2.4.3); where it is not on the list before, none is
  const hasHash = list.hasHash && before?.hasHash;
  const isStill = `(SELECT current FROM grace) = ${Number(current)}`;
  ask(
    'BEGIN IMMEDIATE',
    ...add.map((id) =>
      hasHash
        ? `INSERT OR IGNORE INTO "${list.name}" (id, princhash) SELECT ${blob(id)}, (SELECT princhash FROM "${before.name}" WHERE id = ${blob(id)}) WHERE ${isStill}`
        : `INSERT OR IGNORE INTO "${list.name}" (id) SELECT ${blob(id)} WHERE ${isStill}`,
    ),
    ...remove.map((id) => `DELETE FROM "${list.name}" WHERE id = ${blob(id)} AND ${isStill}`),
    'COMMIT',
  );
  return 'changed';
}

function blob(hex: string): string {
  if (!/^(?:[0-9a-f]{2})*$/.test(hex)) throw new Error(`${hex} is no name in hexadecimal`);
  return `X'${hex}'`;
}
