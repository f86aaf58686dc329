import { replace, troubleOf, write } from '../storage/file-jobs.ts';
import { bytesOf, textOf } from '../sys/bytes.ts';
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

/** What each resource that tells clients has noted about it, beside the list: it goes wherever the list goes. */
export const tallies = 'sm.told';
const mostTallies = 100;
/** Of a list with `mostClients`. */
const longestTally = 8 << 20;

export type Tally = {
  /** The number that was told. */
  readonly state: number;
  /** Records of clients that have confirmed to all of the resource's addresses. */
  readonly told: readonly string[];
  /** Records of clients that it does not tell: none of its addresses is for them, or its time is up. */
  readonly passed: readonly string[];
  /** It tells nobody any more. */
  readonly isUp?: true;
};

export type Settled = {
  /** Records that were struck off. */
  readonly struck: readonly string[];
  /** Resources whose addresses others are still to be told from. */
  readonly awaited: readonly string[];
  /** Why the others cannot know of this one. */
  readonly trouble?: string;
};

/** Whoever still tells notes it with each round, which is half a minute. */
const roundsSeconds = 300;

/**
 * Notes who has confirmed to this resource, and strikes those off that have to every resource of this list: each is a server of its own to
 * a client that mounted from its address. When its own time is up, or it has waited long, those are waited for no more that have not begun
 * for this server, or have stopped telling.
 */
export function settle(
  dir: Directory,
  ask: { readonly name: string; readonly own: Tally; readonly hasWaited?: boolean },
): Settled {
  const { name } = ask;
  const bak = dir.sub('sm.bak');
  const before = tallyIn(dir.sub(tallies), name);
  // what was confirmed to this resource before stays so, whoever asks for it now: its start, or its sender
  const kept = before?.state === ask.own.state ? [...before.told].filter((file) => bak?.facts(file)) : [];
  const own: Tally = { ...ask.own, told: [...new Set([...ask.own.told, ...kept])] };
  // noted first: of two that do this at the same moment one at least sees the other
  const trouble = noted(dir, name, own);
  const room = dir.sub(tallies);
  const all = (room?.names() ?? []).filter((one) => one !== name && !isDraft(one)).slice(0, mostTallies);
  const others = all.map((one) => ({ name: one, tally: tallyIn(room, one) }));
  // of this server: each has a greater number than the one before
  const current = others.filter(({ tally }) => tally !== undefined && tally.state >= own.state);
  const silent = others.filter((one) => !current.includes(one));
  const isLate = own.isUp === true || ask.hasWaited === true;
  if (isLate)
    for (const one of silent) if (room?.facts(one.name)?.kind !== 'directory') room?.remove(one.name);
  // by the clock of the filesystem, which wrote both
  const since = (room?.facts(name)?.modified ?? 0) - roundsSeconds;
  const isStale = (one: string) => isLate && (room?.facts(one)?.modified ?? since) < since;
  const busy = current.filter(({ name: one, tally }) => !tally?.isUp && !isStale(one));
  const told = new Set(own.told);
  const awaited = new Set<string>();
  const struck = [...new Set([...told, ...own.passed])].filter((file) => {
    const open = busy.filter(({ tally }) => !tally?.files.has(file));
    if (!isLate) open.push(...silent);
    if (told.has(file)) for (const one of open) awaited.add(one.name);
    return open.length === 0 && (told.has(file) || current.some(({ tally }) => tally?.told.has(file)));
  });
  for (const file of struck) if (bak?.facts(file)?.kind === 'file') bak.remove(file);
  return { struck, awaited: [...awaited], ...(trouble !== undefined && { trouble }) };
}

/** In place where there is one: a new name may have to wait for clients. */
function noted(dir: Directory, name: string, own: Tally): string | undefined {
  try {
    if (dir.facts(tallies) === undefined) dir.makeDirectory(tallies, 0o755);
    const room = dir.sub(tallies);
    if (room) write(room, name, bytesOf(JSON.stringify(own)), 0o644);
    return undefined;
  } catch (error) {
    return troubleOf(error).trouble;
  }
}

const isDraft = (name: string): boolean => /\.tsha-\d+$/.test(name);

type Read = {
  readonly state: number;
  readonly isUp: boolean;
  readonly told: ReadonlySet<string>;
  /** Of whom it has told, and of whom it does not tell. */
  readonly files: ReadonlySet<string>;
};

/** `undefined` for what cannot be read: whoever wrote it is waited for. */
function tallyIn(room: Directory | undefined, name: string): Read | undefined {
  try {
    const bytes = room?.head(name, longestTally + 1);
    if (bytes === undefined || bytes.length > longestTally) return undefined;
    const { state, told, passed, isUp = false } = JSON.parse(textOf(bytes)) as Partial<Tally>;
    if (typeof state !== 'number' || !Array.isArray(told) || !Array.isArray(passed)) return undefined;
    return { state, isUp, told: new Set(told), files: new Set([...told, ...passed]) };
  } catch {
    return undefined;
  }
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
