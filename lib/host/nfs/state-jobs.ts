import { randomFillSync } from 'node:crypto';
import { directories } from '../storage/file-jobs.ts';
import { hasTrap } from '../storage/sqlite.ts';
import { textOf } from '../sys/bytes.ts';
import { type Directory, errorCode, type Kind, RefusedError } from '../sys/directory.ts';
import { advance, copiesIn, retire, retireCopies, tallies } from './nsm-jobs.ts';
import type { Owner } from './state-directory.ts';
import { recordLists, recovery, reserve, stateFiles } from './state-names.ts';

// What a start makes of the state directory, and the reserve in it, by a child of ours (storage/file-jobs.ts).

/** What SQLite opens beside a database as well. */
function database(path: string): readonly (readonly [path: string, kind: Kind])[] {
  return ['', '-wal', '-shm', '-journal'].map((more) => [`${path}${more}`, 'file']);
}

/** fsidd's, which Debian 13 requires for nfs-server.service. It ends at once where this is no database. */
const fsids = 'reexpdb.sqlite3';
const databases = ['nfsdcld/main.sqlite', 'nfsdcltrack/main.sqlite', fsids];

/**
 * What nfs-utils and the kernel open by name in the state directory, as root, and follow wherever it leads. Whatever else lies there under
 * such a name was put there by somebody, and is moved aside.
 */
const ofTools: readonly (readonly [path: string, kind: Kind])[] = [
  [recovery, 'directory'],
  ['nfsdcld', 'directory'],
  ['nfsdcltrack', 'directory'],
  ...databases.flatMap(database),
  ['rpc_pipefs', 'directory'],
  ['etab', 'file'],
  ['etab.tmp', 'file'],
  ['xtab', 'file'],
  ['xtab.tmp', 'file'],
  ['rmtab', 'file'],
  ['rmtab.tmp', 'file'],
  ['export-lock', 'file'],
  ['.etab.lock', 'file'],
  ['.xtab.lock', 'file'],
  ['.rmtab.lock', 'file'],
];

const ofStatd: readonly (readonly [path: string, kind: Kind])[] = [
  ['sm', 'directory'],
  ['sm.bak', 'directory'],
  ['sm.tsha', 'directory'],
  ['sm.ha', 'directory'],
  ['sm.ha/sm', 'directory'],
  ['sm.ha/sm.bak', 'directory'],
  [tallies, 'directory'],
  ['state', 'file'],
  ['state.new', 'file'],
];

/** Moves aside what is not what its name says, and tells what it was. */
function clear(dir: Directory, names: readonly (readonly [path: string, kind: Kind])[]): string[] {
  const moved: string[] = [];
  for (const [path, wanted] of names) {
    const { home, name } = placeIn(dir, path);
    const facts = home?.facts(name);
    if (home === undefined || facts === undefined || facts.kind === wanted) continue;
    moved.push(moveAside(home, name, `was a ${facts.kind}, and not a ${wanted}`));
  }
  return moved;
}

/** Where a file of the server's is, at most one directory further down. */
function placeIn(
  dir: Directory,
  path: string,
): { readonly home: Directory | undefined; readonly name: string } {
  const [folder = '', name] = path.split('/');
  if (name === undefined) return { home: dir, name: folder };
  return { home: dir.facts(folder)?.kind === 'directory' ? dir.sub(folder) : undefined, name };
}

function moveAside(dir: Directory, name: string, why: string): string {
  const aside = freeName(dir, name);
  dir.rename(name, dir, aside);
  return `${dir.path}/${name} ${why}: it is called ${aside} now`;
}

const beginsDatabase = 'SQLite format 3\0';

/** Journals with which nfs-utils would remove a file, once the kinds are right. */
function clearTraps(dir: Directory): string[] {
  return databases.flatMap((path) => {
    const { home, name } = placeIn(dir, path);
    if (home === undefined || !hasTrap(home, name)) return [];
    return [moveAside(home, `${name}-journal`, 'named a file that would have been removed')];
  });
}

/** An empty file is a database that is still to be made. */
function clearFsids(dir: Directory): string[] {
  const head = textOf(dir.head(fsids, beginsDatabase.length) ?? Buffer.alloc(0));
  return head === '' || head === beginsDatabase ? [] : [moveAside(dir, fsids, 'was no database')];
}

function freeName(dir: Directory, name: string): string {
  for (let n = 1; ; n++) {
    const free = `${name}.refused-${n}`;
    if (dir.facts(free) === undefined) return free;
    if (n === 1000) throw new RefusedError(`${dir.path} holds too much that is not the NFS server's`);
  }
}

/** Lies there while every server that ran had statd keep the records, whoever ended it. */
const keptByStatd = 'kept-by-statd';

export type Made = {
  /** What was moved aside, a sentence each. */
  readonly moved: readonly string[];
  readonly isNew: boolean;
  readonly wasKept: boolean;
  /** The server before was ended by its agent, and every NFSv3 record kept. */
  readonly isOrderly: boolean;
};

/** Makes what a fresh state directory lacks, and gives the reserve's room to whoever needs it now. */
export function furnish(dir: Directory, { hasCallout }: { readonly hasCallout: boolean }): Made {
  const names = [...ofTools, ...[reserve, keptByStatd].map((name) => [name, 'file'] as const)];
  const moved = [...clear(dir, names), ...clearTraps(dir), ...clearFsids(dir)];
  const isNew = dir.facts(recovery) === undefined;
  const room = dir.facts(reserve);
  const isOrderly = room?.size === 0;
  if (room && !isOrderly) giveRoom(dir);
  if (isNew) dir.makeDirectory(recovery, 0o755);
  const wasKept = dir.facts(keptByStatd) !== undefined;
  if (wasKept && !hasCallout) dir.remove(keptByStatd);
  for (const name of [...stateFiles, ...(hasCallout ? [keptByStatd] : [])])
    if (dir.facts(name) === undefined) dir.create(name, new Uint8Array(), 0o644);
  return { moved, isNew, wasKept, isOrderly };
}

export type Statd = {
  /** Where statd's directory is, from the anchor; it is made where it is missing. */
  readonly path: string;
  readonly owner: Owner;
  /** Of `sm` and `sm.bak`. */
  readonly mode: number;
  readonly hasCallout: boolean;
  /** Where NFSv3 is off the records stay as they are. */
  readonly speaksV3: boolean;
};

/** Hands statd's part to this machine's account, and makes every record one of the server before. */
export function furnishStatd(
  base: Directory,
  { path, owner, mode, hasCallout, speaksV3 }: Statd,
): { readonly moved: readonly string[]; readonly isOnRecord: boolean; readonly state: number | null } {
  const dir = directories(base, path, 0o755);
  const moved = clear(dir, ofStatd);
  const lists = recordLists(hasCallout);
  const holds = (list: Directory | undefined) =>
    (list?.names() ?? []).some((entry) => !entry.startsWith('.'));
  const isOnRecord =
    holds(dir.sub('sm.tsha')) ||
    (speaksV3 && [...lists.map((name) => dir.sub(name)), ...copiesIn(dir)].some(holds));
  if (!speaksV3) return { moved, isOnRecord, state: null };
  for (const name of lists) {
    if (dir.facts(name) === undefined) {
      dir.makeDirectory(name, mode);
      dir.own(name, owner.uid, owner.gid);
    }
    const { uid, gid } = dir.facts(name) ?? {};
    // the same account may have another number on the node that made the files, and statd runs as the owner of sm
    if (uid !== owner.uid || gid !== owner.gid) hand(dir, name, owner);
  }
  const state = advance(dir, { owner }); // clients ignore a restart under a number that they know
  retire(dir, { from: 'sm' });
  retire(dir, { from: 'sm.tsha' });
  retireCopies(dir, owner);
  return { moved, isOnRecord, state };
}

function hand(dir: Directory, name: string, { uid, gid }: Owner): void {
  dir.own(name, uid, gid);
  const list = dir.sub(name);
  for (const entry of list?.names() ?? []) list?.own(entry, uid, gid);
}

/** Both at once, where statd's directory lies in the state directory: a failover waits for each child. */
export function furnishBoth(
  dir: Directory,
  { hasCallout, statd }: { readonly hasCallout: boolean; readonly statd: Statd },
): { readonly root: Made; readonly statd: ReturnType<typeof furnishStatd> } {
  return { root: furnish(dir, { hasCallout }), statd: furnishStatd(dir, statd) };
}

/** `sm.bak` for whoever tells clients: it is a directory afterwards. `sm` must be there: without it nobody knows where records are. */
export function prepareNotify(
  dir: Directory,
  { owner, mode }: Pick<Statd, 'owner' | 'mode'>,
): { readonly moved: readonly string[]; readonly hasRecords: boolean } {
  const moved = clear(dir, ofStatd);
  if (dir.facts('sm') === undefined) return { moved, hasRecords: moved.length > 0 };
  if (dir.facts('sm.bak') === undefined) {
    dir.makeDirectory('sm.bak', mode);
    dir.own('sm.bak', owner.uid, owner.gid);
  }
  return { moved, hasRecords: true };
}

/** The room is given up, and nothing is known about the end of the server before. */
export function giveRoom(dir: Directory): void {
  shorten(dir, 1);
}

/** The server has ended, at this agent's wish; the room is for whoever starts it next. */
export function markOrderly(dir: Directory): void {
  shorten(dir, 0);
}

/** Never by way of another length: 0 says that the end was orderly, whatever becomes of this process. */
function shorten(dir: Directory, size: number): void {
  try {
    dir.overwrite(reserve, new Uint8Array(size), 'later');
  } catch (error) {
    // its length is what counts, and needs no room
    if (!['ENOENT', 'ENOSPC'].includes(errorCode(error) ?? '')) throw error;
  }
}

/** Takes the room: content that no filesystem can make less of. Where there is not enough, none is taken. */
export function takeRoom(dir: Directory, { bytes }: { readonly bytes: number }): void {
  const content = new Uint8Array(bytes);
  randomFillSync(content);
  try {
    if (dir.facts(reserve) === undefined) dir.create(reserve, content, 0o644);
    else dir.overwrite(reserve, content, 'later');
  } catch (error) {
    giveRoom(dir); // better for the database that is open now
    throw error;
  }
}
