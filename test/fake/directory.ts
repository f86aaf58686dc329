import { bytesOf, textOf } from '../../lib/host/sys/bytes.ts';
import {
  type Directory,
  type EntryFacts,
  type Kind,
  RefusedError,
  refusal,
} from '../../lib/host/sys/directory.ts';

/** Files by path, as a fake machine has them; a directory's path ends with a slash. */
export type Disk = {
  readonly files: Map<string, string | Uint8Array>;
  /** Directories that hold nothing of `files`. */
  readonly directories?: { has(path: string): boolean };
  /** What lies at a path that is neither file nor directory. */
  readonly odd?: ReadonlyMap<string, Kind>;
  /** By path, what a link says. */
  readonly links?: ReadonlyMap<string, string>;
  readonly owners?: Map<string, string>;
  /** Of directories that were made. */
  readonly modes?: Map<string, number>;
  /** Of a second name, the first one. */
  readonly secondNames?: Map<string, string>;
  readonly young?: ReadonlySet<string>;
  isFull?: boolean;
  hasHardLinks?: boolean;
  retiredLately?: boolean;
  /** Where a path really is. */
  where(path: string): string;
};

const failure = (code: string, words: string): Error =>
  Object.assign(new Error(`${code}: ${words}, open`), { code });
const noSpace = () => failure('ENOSPC', 'no space left on device');

/** A directory of a fake machine: what the kernel does for `openDirectory`. */
export function fakeDirectory(disk: Disk, path: string): Directory {
  const kind = kindAt(disk, path);
  if (kind === undefined) throw failure('ENOENT', 'no such file or directory');
  if (kind !== 'directory') throw failure('ENOTDIR', 'not a directory');
  return new FakeDirectory(disk, path);
}

function kindAt(disk: Disk, path: string): Kind | undefined {
  const real = disk.where(path);
  if (disk.links?.has(path)) return 'symbolic link';
  const odd = disk.odd?.get(real);
  if (odd) return odd;
  if (disk.files.has(real)) return 'file';
  const isParent =
    path === '/' ||
    disk.directories?.has(path) ||
    [...disk.files.keys()].some((file) => file.startsWith(`${real}/`));
  return isParent ? 'directory' : undefined;
}

class FakeDirectory implements Directory {
  readonly path: string;
  readonly #disk: Disk;

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.path = path;
  }

  #at = (name: string): string => this.#disk.where(this.#named(name));
  #named = (name: string): string => `${this.path === '/' ? '' : this.path}/${name}`;

  names(): readonly string[] {
    const here = `${this.#disk.where(this.path === '/' ? '' : this.path)}/`;
    const inside = [...this.#disk.files.keys(), ...(this.#disk.odd?.keys() ?? [])].filter(
      (file) => file.startsWith(here) && file !== here,
    );
    return [...new Set(inside.map((file) => file.slice(here.length).split('/')[0] ?? ''))];
  }

  facts(name: string): EntryFacts | undefined {
    const path = this.#at(name);
    const kind = kindAt(this.#disk, this.#named(name));
    if (kind === undefined) return undefined;
    const { secondNames, owners, young, retiredLately, files } = this.#disk;
    const first = secondNames?.get(path) ?? path;
    const isShared = [...(secondNames ?? [])].some((pair) => pair.includes(path));
    const [uid = 0, gid = 0] = (owners?.get(path) ?? '0:0').split(':').map(Number);
    const later = 2_000_000_000;
    return {
      kind,
      links: isShared ? 2 : 1,
      size: files.get(path)?.length ?? 0,
      uid,
      gid,
      ino: [...first].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_003, 7),
      modified: young?.has(path) ? later : 0,
      changed: retiredLately ? later : 0,
    };
  }

  #require(name: string, wanted: 'file' | 'directory'): boolean {
    const kind = kindAt(this.#disk, this.#named(name));
    if (kind !== undefined && kind !== wanted) throw refusal(this.#named(name), kind, wanted);
    return kind === wanted;
  }

  target(name: string): string {
    const target = this.#disk.links?.get(this.#named(name));
    if (target === undefined) throw failure('EINVAL', 'invalid argument');
    return target;
  }

  sub(name: string): Directory | undefined {
    return this.#require(name, 'directory') ? new FakeDirectory(this.#disk, this.#named(name)) : undefined;
  }

  #content(name: string): Buffer | undefined {
    if (!this.#require(name, 'file')) return undefined;
    const content = this.#disk.files.get(this.#at(name)) ?? '';
    return typeof content === 'string' ? bytesOf(content) : Buffer.from(content);
  }

  head = (name: string, most: number): Buffer | undefined => this.#content(name)?.subarray(0, most);
  tail = (name: string, most: number): Buffer | undefined => this.#content(name)?.subarray(-most);

  #put(name: string, bytes: Uint8Array): void {
    const isNumber = name.startsWith('state');
    const text = bytes.length > 1_000_000 ? 'reserved' : textOf(Buffer.from(bytes));
    this.#disk.files.set(this.#at(name), isNumber ? new Uint8Array(bytes) : text);
  }

  #change(name: string): void {
    if (!this.#require(name, 'file')) throw failure('ENOENT', 'no such file or directory');
    if ((this.facts(name)?.links ?? 1) > 1)
      throw new RefusedError(`${this.#named(name)} has 2 names: it is not written to`);
  }

  overwrite(name: string, bytes: Uint8Array): void {
    this.#change(name);
    if (this.#disk.isFull && bytes.length > 1_000_000) throw noSpace();
    this.#put(name, bytes);
  }

  append(name: string, bytes: Uint8Array): void {
    const before = this.head(name, Number.MAX_SAFE_INTEGER) ?? Buffer.of();
    this.overwrite(name, Buffer.concat([before, bytes]));
  }

  create(name: string, bytes: Uint8Array): void {
    if (this.facts(name)) throw failure('EEXIST', 'file already exists');
    if (this.#disk.isFull && bytes.length > 0) throw noSpace();
    this.#put(name, bytes);
  }

  makeDirectory(name: string, mode: number): void {
    if (this.facts(name)) throw failure('EEXIST', 'file already exists');
    this.#disk.modes?.set(this.#at(name), mode);
    this.#disk.files.set(`${this.#at(name)}/`, '');
  }

  rename(name: string, to: Directory, as: string): void {
    const { files, secondNames, owners } = this.#disk;
    const from = this.#at(name);
    const target = (to as FakeDirectory).#at(as);
    const odd = this.#disk.odd as Map<string, Kind> | undefined;
    const kind = odd?.get(from);
    if (kind) {
      odd?.set(target, kind);
      odd?.delete(from);
      return;
    }
    if (kindAt(this.#disk, this.#named(name)) === 'directory') {
      for (const [path, content] of [...files])
        if (path.startsWith(`${from}/`)) {
          files.set(`${target}${path.slice(from.length)}`, content);
          files.delete(path);
        }
      return;
    }
    const content = files.get(from);
    if (content === undefined) throw failure('ENOENT', 'no such file or directory');
    odd?.delete(target);
    files.set(target, content);
    files.delete(from);
    const first = secondNames?.get(from);
    secondNames?.delete(from);
    if (first !== undefined) secondNames?.set(target, first);
    const owner = owners?.get(from);
    if (owner !== undefined) owners?.set(target, owner);
  }

  link(name: string, to: Directory, as: string): void {
    const { files, hasHardLinks = true, secondNames } = this.#disk;
    if (!hasHardLinks) throw failure('EPERM', 'operation not permitted');
    const target = (to as FakeDirectory).#at(as);
    files.set(target, files.get(this.#at(name)) ?? '');
    secondNames?.set(target, this.#at(name));
  }

  remove(name: string): void {
    const path = this.#at(name);
    this.#disk.files.delete(path);
    (this.#disk.odd as Map<string, Kind> | undefined)?.delete(path);
    this.#disk.secondNames?.delete(path);
  }

  own(name: string, uid: number, gid: number): void {
    this.#disk.owners?.set(this.#at(name), `${uid}:${gid}`);
  }

  pin(name: string, kind: 'file' | 'directory'): string {
    if (!this.#require(name, kind)) throw failure('ENOENT', 'no such file or directory');
    return this.#named(name);
  }

  pinned = (): string => this.path;
}
