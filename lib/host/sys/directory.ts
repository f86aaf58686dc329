// Files that others may have put there: whoever is root on a client of an exported filesystem, whoever may write to a disk. A path
// would lead through links of theirs, and opening what is no file can hang (a FIFO) or harm (a device). So nothing below such a
// directory is ever named by a path: every step is taken from a directory that is open already, follows no link, and looks at what
// is there before it opens it. What a name may be, type and place decide; owners and modes are whoever's who may write there.

export type Kind = 'file' | 'directory' | 'symbolic link' | 'device' | 'FIFO' | 'socket';

/** Of what is there under a name: never of what a link leads to. */
export type EntryFacts = {
  readonly kind: Kind;
  /** How many names the file has. */
  readonly links: number;
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly ino: number;
  /** Seconds since 1970: of the content, and of the file's own facts, as a rename or another name changes them. */
  readonly modified: number;
  readonly changed: number;
};

/** Something is there, and it is not what may be there. The message is a sentence for the log. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** A directory that others may have put there: where it begins, and how it goes on from there. */
export type Anchored = {
  /** A directory that only root of this machine can change, without links. */
  readonly anchor: string;
  /** The names that lead on from there, none of which may be a link. */
  readonly way: readonly string[];
};

/** An open directory. All of it throws the system's error for what the kernel refuses. */
export interface Directory {
  /** Where it is, for words alone. */
  readonly path: string;
  names(): readonly string[];
  /** `undefined` when there is nothing. */
  facts(name: string): EntryFacts | undefined;
  /** What a link says. */
  target(name: string): string;
  /** Opens a directory; `undefined` when there is nothing. Throws `RefusedError` for anything else. */
  sub(name: string): Directory | undefined;
  /** The beginning of a file, at most so many bytes; `undefined` when there is none. Throws `RefusedError` for anything else. */
  head(name: string, most: number): Buffer | undefined;
  /** Its end in the same way. */
  tail(name: string, most: number): Buffer | undefined;
  /**
   * Overwrites a file that is there, has no other name, and stays the same file: it gets its new length, then its content. On the disk
   * when this returns, or later.
   */
  overwrite(name: string, bytes: Uint8Array, when?: 'now' | 'later'): void;
  /** Adds to a file that is there. */
  append(name: string, bytes: Uint8Array): void;
  /** A file that nobody else can have put there, on the disk when this returns. */
  create(name: string, bytes: Uint8Array, mode: number): void;
  makeDirectory(name: string, mode: number): void;
  /** Whatever is there under the new name goes, as long as it is no directory. */
  rename(name: string, to: Directory, as: string): void;
  /** Another name for a file. */
  link(name: string, to: Directory, as: string): void;
  /** Anything but a directory. No error when there is nothing. */
  remove(name: string): void;
  own(name: string, uid: number, gid: number): void;
  /** A path for a tool of this machine that leads to this very file or directory while this process lives. Throws `RefusedError` for anything else. */
  pin(name: string, kind: 'file' | 'directory'): string;
  /** The same for this directory. */
  pinned(): string;
}

export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;

/** As the kernel would say it. */
export const absence = (path: string): Error =>
  Object.assign(new Error(`ENOENT: no such file or directory, ${path}`), { code: 'ENOENT' });

/** The sentence about something that is not what it should be. */
export const refusal = (path: string, kind: Kind, wanted: 'file' | 'directory'): RefusedError =>
  new RefusedError(`${path} is a ${kind}, and not a ${wanted}: it is not touched`);
