import { bytesOf, textOf } from '../sys/bytes.ts';
import {
  type Anchored,
  absence,
  type Directory,
  errorCode,
  type Kind,
  RefusedError,
} from '../sys/directory.ts';
import type { Argv, Output } from '../sys/sys.ts';

// What is done below a directory that others may write to, by a child of ours (lib/ocf/beneath.ts): it may hang in the kernel, and be
// left behind.

/** Runs a tool of this machine and waits for it; whoever started the child ends both. */
export type RunTool = (argv: Argv, input?: Uint8Array) => Pick<Output, 'code' | 'stdout' | 'stderr'>;

/** Opens a directory by a path that nobody but this machine's root can change. */
export type OpenDirectory = (path: string) => Directory;

/** Ask and answer go through JSON; text holds bytes as `textOf` reads them. */
export type Job<Ask = never, Answer = unknown> = (
  dir: Directory,
  ask: Ask,
  run: RunTool,
  open: OpenDirectory,
) => Answer;

/** Opens it step by step. Throws `RefusedError` where a link lies on the way, and the kernel's error where there is nothing. */
export function existing({ anchor, way }: Anchored, open: OpenDirectory): Directory {
  let dir: Directory | undefined = open(anchor);
  for (const name of way) dir = dir?.sub(name);
  if (dir === undefined) throw absence([anchor === '/' ? '' : anchor, ...way].join('/'));
  return dir;
}

type InDirectory = { readonly dir: Directory; readonly name: string };

/** The directory that a relative path leads to, and the last name. `undefined` when a directory on the way is not there. */
function walk(dir: Directory, path: string): InDirectory | undefined {
  const names = path.split('/');
  let here: Directory | undefined = dir;
  for (const name of names.slice(0, -1)) here = here?.sub(name);
  return here && { dir: here, name: names.at(-1) ?? '' };
}

function walked(dir: Directory, path: string): InDirectory {
  const found = walk(dir, path);
  if (found === undefined) throw absence(`${dir.path}/${path}`);
  return found;
}

const mostLinks = 40; // as the kernel's own limit
const mostSteps = 1000;

export type Leads =
  /** Without links; `null` where there is nothing. */
  | { readonly path: string; readonly kind: Kind | null }
  /** The link that leads out of the directory, or nowhere. */
  | { readonly link: string; readonly target: string };

/** What went wrong; `isRefused`: something lies there that is not what may lie there; `code`: the kernel's. */
export type Trouble = { readonly trouble: string; readonly isRefused?: true; readonly code?: string };

export function troubleOf(error: unknown): Trouble {
  if (error instanceof RefusedError) return { trouble: error.message, isRefused: true };
  const code = errorCode(error);
  return { trouble: wordsOf(error), ...(code && { code }) };
}

/** Of `ENOSPC: no space left on device, write` the words for people. */
const wordsOf = (error: unknown): string => {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return /^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
};

/** Where each of several ways leads. Links are followed as long as they stay below the directory. */
export const follow = (
  dir: Directory,
  { ways }: { readonly ways: readonly (readonly string[])[] },
): readonly (Leads | Trouble)[] =>
  ways.map((names) => {
    try {
      return followOne(dir, names);
    } catch (error) {
      return troubleOf(error);
    }
  });

function followOne(dir: Directory, names: readonly string[]): Leads {
  let way = [dir];
  let left = names;
  let last: { readonly link: string; readonly target: string } | undefined;
  for (let [steps, links] = [0, 0]; steps < mostSteps; steps++) {
    const here = way.at(-1) ?? dir;
    const [name, ...rest] = left;
    if (name === undefined) return { path: here.path, kind: 'directory' };
    left = rest;
    if (name === '..') {
      way.pop();
      if (way.length > 0) continue;
      break;
    }
    let kind: Kind | undefined;
    try {
      kind = here.facts(name)?.kind;
    } catch (error) {
      if (last && errorCode(error) === 'ENAMETOOLONG') break;
      throw error;
    }
    if (kind === 'symbolic link') {
      last = { link: `${here.path}/${name}`, target: here.target(name) };
      const within = namesBelow(dir.path, last.target);
      if (within === undefined || ++links > mostLinks) break;
      if (last.target.startsWith('/')) way = [dir];
      left = [...within, ...left];
      continue;
    }
    const next = kind === 'directory' ? here.sub(name) : undefined;
    if (next === undefined)
      return {
        path: [here.path, name, ...left].join('/'),
        kind: left.length === 0 && kind !== undefined ? kind : null,
      };
    way.push(next);
  }
  if (last) return last;
  throw new RefusedError(`${[dir.path, ...names].join('/')} has too many names`);
}

/** Of a link's text; `undefined` where it begins elsewhere. */
function namesBelow(base: string, target: string): readonly string[] | undefined {
  const names = target.split('/').filter((name) => name !== '' && name !== '.');
  if (!target.startsWith('/')) return names;
  const above = base.split('/').filter(Boolean);
  return above.every((name, at) => name === names[at]) ? names.slice(above.length) : undefined;
}

/** Makes what is missing of a path of directories, and returns the last of them; of an empty path the directory itself. */
export function directories(dir: Directory, path: string, mode: number): Directory {
  let here = dir;
  for (const name of path.split('/').filter(Boolean)) {
    let next = here.sub(name);
    if (next === undefined) {
      here.makeDirectory(name, mode);
      next = here.sub(name);
    }
    if (next === undefined) throw new RefusedError(`${here.path}/${name} vanished while it was made`);
    here = next;
  }
  return here;
}

/** The text of a file of at most `most` bytes; `null` when there is none. */
export function readFile(
  dir: Directory,
  { path, most }: { readonly path: string; readonly most: number },
): string | null {
  const found = walk(dir, path);
  const bytes = found?.dir.head(found.name, most + 1);
  if (bytes === undefined) return null;
  if (bytes.length > most)
    throw new RefusedError(`${dir.path}/${path} is longer than ${most} bytes: it is not read`);
  return textOf(bytes);
}

/** Replaces a file as a whole: a reader, or a crash, finds the old text or the new one. */
export function replaceFile(
  dir: Directory,
  { path, text }: { readonly path: string; readonly text: string },
): void {
  const found = walked(dir, path);
  replace(found.dir, found.name, bytesOf(text), 0o644);
}

export function replace(
  dir: Directory,
  name: string,
  bytes: Uint8Array,
  mode: number,
  owner?: { readonly uid: number; readonly gid: number },
): void {
  const draft = `${name}.tsha-${process.pid}`;
  dir.remove(draft); // of a process of this number that was killed
  dir.create(draft, bytes, mode);
  try {
    if (owner) dir.own(draft, owner.uid, owner.gid);
    dir.rename(draft, dir, name);
  } catch (error) {
    dir.remove(draft);
    throw error;
  }
}

/**
 * Writes a file in place where that is safe, else replaces it. In place first: a new name has to wait for every NFSv4 client with a
 * delegation of the exported directory (Linux 6.19), and clients that are reclaiming their state return none.
 */
export function writeFile(
  dir: Directory,
  { path, text }: { readonly path: string; readonly text: string },
): void {
  const found = walked(dir, path);
  write(found.dir, found.name, bytesOf(text), 0o644);
}

export function write(
  dir: Directory,
  name: string,
  bytes: Uint8Array,
  mode: number,
  owner?: { readonly uid: number; readonly gid: number },
): void {
  try {
    dir.overwrite(name, bytes);
  } catch (error) {
    if (!(error instanceof RefusedError) && errorCode(error) !== 'ENOENT') throw error;
    replace(dir, name, bytes, mode, owner);
  }
}

/** Adds text to a file, which is there afterwards in any case. */
export function appendFile(
  dir: Directory,
  { path, text }: { readonly path: string; readonly text: string },
): void {
  createFile(dir, { path });
  const found = walked(dir, path);
  found.dir.append(found.name, bytesOf(text));
}

/** Makes an empty file where there is nothing: another process may make it at the same moment, and write to it. */
export function createFile(dir: Directory, { path }: { readonly path: string }): void {
  const found = walked(dir, path);
  try {
    found.dir.create(found.name, new Uint8Array(), 0o644);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** Removes a file, or whatever lies under its name but a directory. */
export function removeFile(dir: Directory, { path }: { readonly path: string }): void {
  const found = walk(dir, path);
  found?.dir.remove(found.name);
}

export type Mounting = {
  /** The mount point; it is made where it is missing. */
  readonly path: string;
  /** What else of others' is mounted there: a directory or an image, which is there already. */
  readonly source?: Anchored & { readonly kind: 'directory' | 'file' };
  /** The arguments of one `mount` after the other: `{}` stands for the mount point as it is by then, `{source}` for the source. */
  readonly calls: readonly (readonly string[])[];
};

/** Mounts on a directory, or it elsewhere. Neither it nor the source is named by a path, which could lead elsewhere by then. */
export function mountAt(
  dir: Directory,
  { path, source, calls }: Mounting,
  run: RunTool,
  open: OpenDirectory,
): Pick<Output, 'code' | 'stderr'> {
  const from = source && pinned(source, open);
  for (const call of calls) {
    // `/.`: since util-linux 2.39 it is attached by move_mount(2), which follows no link in the last place, not even one of /proc
    const on = `${directories(dir, path, 0o755).pinned()}/.`;
    const args = call.map((arg) => (arg === '{}' ? on : arg === '{source}' ? (from ?? arg) : arg));
    // -c: mount(8) would make a name of the pinned place again, and a name can lead elsewhere by then
    const { code, stderr } = run(['mount', '-c', ...args]);
    if (code !== 0) return { code, stderr };
  }
  return { code: 0, stderr: '' };
}

function pinned(
  { anchor, way, kind }: Anchored & { readonly kind: 'directory' | 'file' },
  open: OpenDirectory,
): string {
  if (kind === 'directory') return existing({ anchor, way }, open).pinned();
  return existing({ anchor, way: way.slice(0, -1) }, open).pin(way.at(-1) ?? '', 'file');
}

export type Probe = {
  readonly path: string;
  /** One block, which the file is to hold. */
  readonly content: string;
  readonly block: number;
  /** Past the page cache, where the filesystem is on a disk. */
  readonly direct: boolean;
};

/** Writes one block to a file, to the disk, and reads it back from there: which of the two failed, and how. */
export function writeAndRead(
  dir: Directory,
  { path, content, block, direct }: Probe,
  run: RunTool,
): {
  readonly failed?: 'write' | 'read';
  readonly argv?: Argv;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
} {
  const parent = directories(dir, path.split('/').slice(0, -1).join('/'), 0o755);
  const name = path.split('/').at(-1) ?? '';
  const { kind = 'file', links = 1 } = parent.facts(name) ?? {};
  if (kind === 'file' && links > 1) parent.remove(name); // its other name may be somebody else's file
  if (parent.facts(name) === undefined) parent.create(name, new Uint8Array(), 0o644);
  const pinned = parent.pin(name, 'file');
  // dd: O_DIRECT wants memory that is aligned, which JavaScript cannot promise
  const out = ['dd', `of=${pinned}`, `bs=${block}`, 'count=1', 'iflag=fullblock'] as const;
  const flag = direct ? ',direct' : '';
  const write: Argv = [...out, `oflag=sync${flag}`, 'conv=fsync', 'status=none'];
  const written = run(write, Buffer.from(content.padEnd(block, '\0')));
  if (written.code !== 0) return { failed: 'write', argv: write, ...written };
  const read: Argv = [
    'dd',
    `if=${pinned}`,
    ...(direct ? ['iflag=direct'] : []),
    `bs=${block}`,
    'count=1',
    'status=none',
  ];
  const back = run(read);
  return back.code === 0 ? back : { failed: 'read', argv: read, ...back };
}
