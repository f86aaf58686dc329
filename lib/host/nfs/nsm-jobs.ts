import { replace, write } from '../storage/file-jobs.ts';
import { textOf } from '../sys/bytes.ts';
import { type Directory, type EntryFacts, errorCode, RefusedError } from '../sys/directory.ts';
import type { Owner } from './state-directory.ts';

// What is done to statd's directory, by a child of ours (storage/file-jobs.ts): `sm` with a record per client of this server, `sm.bak`
// with those of clients that are still to be told, and the file `state`.

/** A client of an earlier server that has not confirmed yet. */
export type Waiting = {
  /** Its record's file name in `sm.bak`. */
  readonly file: string;
  /** How lockd knows it: an address, unless the kernel was told to use names. */
  readonly client: string;
};

/** statd's line is shorter by far: five numbers in hexadecimal and two names. */
const longestRecord = 4096;
/** What a draft of ours is called; neither statd nor sm-notify takes a name with a dot in front for a record. */
const draft = '.tsha';

const isRecord = (name: string): boolean => !name.startsWith('.');

function* records(dir: Directory | undefined): Generator<readonly [string, EntryFacts]> {
  for (const name of dir?.names() ?? []) {
    const facts = isRecord(name) ? dir?.facts(name) : undefined;
    if (facts?.kind === 'file') yield [name, facts];
  }
}

/** A directory where records wait, opened with the first one: only whoever has records to put there cannot do without. */
function waitingRoom(dir: Directory, name: string): () => Directory {
  let room: Directory | undefined;
  return () => {
    room ??= dir.sub(name);
    if (room === undefined) throw new RefusedError(`${dir.path}/${name} is not there`);
    return room;
  };
}

/**
 * Gives every record its second name in another directory. It needs no room on a full filesystem, which a copy would. One that has it is
 * passed over. Where the filesystem knows no second names, a copy it is.
 */
export function keep(dir: Directory, { into }: { readonly into: 'sm.bak' | 'sm.tsha' }): void {
  const sm = dir.sub('sm');
  const roomFor = waitingRoom(dir, into);
  for (const [name, { links, uid, gid }] of records(sm)) {
    if (sm === undefined || links > 1) continue;
    const room = roomFor();
    try {
      room.remove(draft);
      sm.link(name, room, draft);
    } catch (error) {
      if (!['EPERM', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'].includes(errorCode(error) ?? '')) {
        if (errorCode(error) === 'ENOENT') continue; // the client has left
        throw error;
      }
      const bytes = sm.head(name, longestRecord);
      if (bytes) replace(room, name, bytes, 0o600, { uid, gid });
      continue;
    }
    room.rename(draft, room, name); // in the place of an earlier record of this client
  }
}

/** Makes records of `from` ones of an earlier server: of those that are not younger than a moment, or of all. */
export function retire(
  dir: Directory,
  { from, notAfter }: { readonly from: 'sm' | 'sm.tsha'; readonly notAfter?: number },
): void {
  const sm = dir.sub(from);
  const roomFor = waitingRoom(dir, 'sm.bak');
  for (const [name, { ino, modified }] of records(sm)) {
    if (sm === undefined || (notAfter !== undefined && modified > notAfter)) continue;
    const room = roomFor();
    // `keep` gave it its second name: rename(2) does nothing between two names of one file
    if (room.facts(name)?.ino === ino) sm.remove(name);
    else sm.rename(name, room, name);
  }
}

/** Where a stop of the stock agent copies both lists for its own next start, before statd forgets the clients. */
export function copiesIn(dir: Directory): readonly Directory[] {
  const home = dir.sub('sm.ha');
  return ['sm', 'sm.bak'].flatMap((name) => home?.sub(name) ?? []);
}

/** Makes records of an earlier server of those copies, once. What `sm.bak` has already stays. */
export function retireCopies(dir: Directory, { uid, gid }: Owner): void {
  const roomFor = waitingRoom(dir, 'sm.bak');
  for (const copies of copiesIn(dir))
    for (const [name] of records(copies)) {
      const room = roomFor();
      if (room.facts(name) !== undefined) {
        copies.remove(name);
        continue;
      }
      copies.own(name, uid, gid);
      copies.rename(name, room, name);
    }
}

/** Whether a record came to `sm.bak` after a moment, in seconds since 1970: renaming and linking change a file's ctime. */
export function hasRetiredSince(dir: Directory, { since }: { readonly since: number }): boolean {
  for (const [, { changed }] of records(dir.sub('sm.bak'))) if (changed > since) return true;
  return false;
}

/** More clients than any server has. What is beyond is told when some of these have been. */
const mostClients = 20_000;

/**
 * The clients that are still to be told, by the first line of each record. One that was cut short is known by its file's name.
 *
 *     0100007f 000186b5 00000003 00000010 ed6b2e81… 192.0.2.7 nfs.example.com
 *     (1)      (2)      (3)      (4)      (5)       (6)       (7)
 *
 * (1) the address to call back, (2) program, (3) version and (4) procedure in hexadecimal, (5) a cookie, (6) the client's name, (7) ours.
 */
export function waiting(dir: Directory): readonly Waiting[] {
  const found: Waiting[] = [];
  const room = dir.sub('sm.bak');
  for (const [file] of records(room)) {
    if (found.length === mostClients) break;
    const bytes = room?.head(file, longestRecord);
    if (bytes === undefined) continue; // told and removed meanwhile
    const [line = ''] = textOf(bytes).split('\n', 1);
    found.push({ file, client: clientIn(line) ?? file });
  }
  return found;
}

export const clientIn = (record: string): string | undefined =>
  record
    .split(' ')
    .filter((word) => word !== '')[5]
    ?.trim();

export function forget(dir: Directory, { files }: { readonly files: readonly string[] }): void {
  const room = dir.sub('sm.bak');
  for (const file of files) if (room?.facts(file)?.kind === 'file') room.remove(file);
}

/** The number in the file `state`: four bytes in the machine's order. `null` when there is none. */
export function readState(dir: Directory): number | null {
  const bytes = dir.head('state', 4);
  return bytes?.length === 4 ? (new Int32Array(new Uint8Array(bytes).buffer)[0] ?? null) : null;
}

/** Above this, statd's signed integers come near; the kernel refuses negative numbers. */
const lastState = 0x7f000000;

/** The next number of this server: odd means "up", and it must differ from every one that clients may remember. */
export function nextNsmState(last: number | undefined): number {
  if (last === undefined || last < 0 || last >= lastState) return 1;
  return last + (last % 2 === 0 ? 1 : 2);
}

/** Takes the next number, which is on the disk when this returns. A `state` that is no file is replaced. */
export function advance(dir: Directory, { owner }: { readonly owner: Owner }): number {
  let last: number | null = null;
  try {
    last = readState(dir);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  }
  const state = nextNsmState(last ?? undefined);
  write(dir, 'state', new Uint8Array(new Int32Array([state]).buffer), 0o644, owner);
  return state;
}
