import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { bytesOf, textOf } from './bytes.ts';
import {
  absence,
  type Directory,
  type EntryFacts,
  errorCode,
  type Kind,
  RefusedError,
  refusal,
} from './directory.ts';

/** open(2): the place itself, which is not opened; Node has no name for it. Not node-sys.ts' own: a monitor loads that one. */
const oPath = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;

/** A directory by a path that nobody but this machine's root can change. */
export function openDirectory(path: string): Directory {
  return new OpenDirectory(openSync(bytesOf(path), oPath | O_DIRECTORY | O_NOFOLLOW), path);
}

/** By descriptors as the kernel shows them below /proc/self/fd: Node and Bun know no openat(2). */
class OpenDirectory implements Directory {
  readonly path: string;
  readonly #fd: number;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.path = path;
  }

  /** The last step of a path is the caller's to take without following a link. */
  #at(name: string): Buffer {
    if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
      throw new RefusedError(`${JSON.stringify(name)} is no name of a file`);
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.#fd}/`), bytesOf(name)]);
  }

  #path = (name: string): string => `${this.path === '/' ? '' : this.path}/${name}`;

  names(): readonly string[] {
    return readdirSync(`/proc/self/fd/${this.#fd}`, 'buffer').map(textOf);
  }

  facts(name: string): EntryFacts | undefined {
    return ifThere(() => factsOf(lstatSync(this.#at(name))));
  }

  target(name: string): string {
    return textOf(readlinkSync(this.#at(name), 'buffer'));
  }

  sub(name: string): Directory | undefined {
    const fd = this.#open(name, 'directory');
    return fd === undefined ? undefined : new OpenDirectory(fd, this.#path(name));
  }

  /** A descriptor that leads to what is there, once it is known to be the right kind. */
  #open(name: string, wanted: 'file' | 'directory'): number | undefined {
    const fd = ifThere(() => openSync(this.#at(name), oPath | O_NOFOLLOW));
    if (fd === undefined) return undefined;
    const kind = kindOf(fstatSync(fd));
    if (kind === wanted) return fd;
    closeSync(fd);
    throw refusal(this.#path(name), kind, wanted);
  }

  #with<T>(name: string, flags: number, work: (fd: number, facts: Stats) => T): T | undefined {
    const place = this.#open(name, 'file');
    if (place === undefined) return undefined;
    try {
      const fd = openSync(`/proc/self/fd/${place}`, flags);
      try {
        return work(fd, fstatSync(fd));
      } finally {
        closeSync(fd);
      }
    } finally {
      closeSync(place);
    }
  }

  head(name: string, most: number): Buffer | undefined {
    return this.#with(name, O_RDONLY, (fd) => piecesOf(fd, most, 0));
  }

  tail(name: string, most: number): Buffer | undefined {
    return this.#with(name, O_RDONLY, (fd, { size }) => piecesOf(fd, most, Math.max(0, size - most)));
  }

  overwrite(name: string, bytes: Uint8Array, when: 'now' | 'later' = 'now'): void {
    this.#change(name, O_WRONLY, (fd) => {
      ftruncateSync(fd, bytes.length); // first: on a full filesystem what is beyond may be the room for the rest
      writeAll(fd, bytes);
      if (when === 'now') fsyncSync(fd);
    });
  }

  append(name: string, bytes: Uint8Array): void {
    this.#change(name, O_WRONLY | O_APPEND, (fd) => writeAll(fd, bytes));
  }

  #change(name: string, flags: number, work: (fd: number) => void): void {
    const done = this.#with(name, flags, (fd, { nlink }) => {
      // its other name may be somebody else's file
      if (nlink !== 1) throw new RefusedError(`${this.#path(name)} has ${nlink} names: it is not written to`);
      work(fd);
      return true;
    });
    if (!done) throw absence(this.#path(name));
  }

  create(name: string, bytes: Uint8Array, mode: number): void {
    const fd = openSync(this.#at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      writeAll(fd, bytes);
      fchmodSync(fd, mode);
      fsyncSync(fd);
    } catch (error) {
      this.remove(name);
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  makeDirectory(name: string, mode: number): void {
    mkdirSync(this.#at(name), { mode });
  }

  rename(name: string, to: Directory, as: string): void {
    renameSync(this.#at(name), (to as OpenDirectory).#at(as));
  }

  link(name: string, to: Directory, as: string): void {
    linkSync(this.#at(name), (to as OpenDirectory).#at(as));
  }

  remove(name: string): void {
    ifThere(() => unlinkSync(this.#at(name)));
  }

  own(name: string, uid: number, gid: number): void {
    lchownSync(this.#at(name), uid, gid);
  }

  pin(name: string, kind: 'file' | 'directory'): string {
    const fd = this.#open(name, kind);
    if (fd === undefined) throw absence(this.#path(name));
    return `/proc/${process.pid}/fd/${fd}`;
  }

  pinned = (): string => `/proc/${process.pid}/fd/${this.#fd}`;
}

function piecesOf(fd: number, most: number, from: number): Buffer {
  const pieces: Buffer[] = [];
  for (let done = 0; done < most; ) {
    const piece = Buffer.alloc(Math.min(most - done, 65_536));
    const size = readSync(fd, piece, 0, piece.length, from + done);
    if (size === 0) break;
    pieces.push(piece.subarray(0, size));
    done += size;
  }
  return Buffer.concat(pieces);
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const kindOf = (s: Stats): Kind => {
  if (s.isFile()) return 'file';
  if (s.isDirectory()) return 'directory';
  if (s.isSymbolicLink()) return 'symbolic link';
  if (s.isFIFO()) return 'FIFO';
  return s.isSocket() ? 'socket' : 'device';
};

const factsOf = (s: Stats): EntryFacts => ({
  kind: kindOf(s),
  links: s.nlink,
  size: s.size,
  uid: s.uid,
  gid: s.gid,
  ino: s.ino,
  modified: s.mtimeMs / 1000,
  changed: s.ctimeMs / 1000,
});
