import { type Host, outputTrouble } from '../host.ts';
import { isAbsence } from '../local-files.ts';
import { textOf } from '../sys/bytes.ts';

/** One line of /proc/self/mountinfo, decoded. */
export type Mount = {
  readonly id: number;
  readonly parent: number;
  /** `major:minor` of the superblock (st_dev of its files); identifies a block device whatever its name. */
  readonly device: string;
  /** Path within the filesystem that is mounted here: not `/` for a bind mount or a btrfs subvolume. */
  readonly root: string;
  readonly target: string;
  /** Of this mount, e.g. `ro`, `noexec`. */
  readonly options: readonly string[];
  /** Peer group: what is mounted or unmounted below one mount of a group happens below all of them (mount_namespaces(7)). */
  readonly shared: string | undefined;
  /** The peer group whose mounts and unmounts arrive here, too, but not the other way round. */
  readonly master: string | undefined;
  readonly type: string;
  readonly source: string;
  /** Of the superblock, e.g. the `ro` that a filesystem gives itself after an error. */
  readonly superOptions: readonly string[];
};

/** Every mount of this mount namespace. The table itself, never the filesystems, is read: it cannot hang. */
export const mounts = async (host: Host): Promise<readonly Mount[]> =>
  parseMountinfo(await host.sys.read('/proc/self/mountinfo'));

/**
 * proc_pid_mountinfo(5):
 *
 *     36 35 98:0 /sub /mnt/a\040b rw,noatime shared:4 master:1 - ext3 /dev/root rw,errors=continue
 *     (1)(2)(3)  (4)  (5)         (6)        (7)             (8)(9)  (10)     (11)
 *
 * (1) id, (2) the parent's id, (3) major:minor, (4) root, (5) target, (6) options of this mount, (7) any number of tags, (8) a
 * lone dash, (9) type, (10) source, (11) options of the superblock. Paths are escaped as `decodeOctal` reads them.
 */
export function parseMountinfo(text: string): readonly Mount[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [head = '', tail = ''] = splitOnce(line, ' - ');
      const [id = '', parent = '', device = '', root = '', target = '', options = '', ...tags] =
        head.split(' ');
      const [type = '', source = '', superOptions = ''] = tail.split(' ');
      const tagged = (name: string) => tags.find((tag) => tag.startsWith(name))?.slice(name.length);
      return {
        id: Number(id),
        parent: Number(parent),
        device,
        root: decodeOctal(root),
        target: decodeOctal(target),
        options: options.split(','),
        shared: tagged('shared:'),
        master: tagged('master:'),
        type: decodeOctal(type),
        source: decodeOctal(source),
        superOptions: superOptions.split(','),
      };
    });
}

/** The mounts on exactly `dir`, the visible one last: what is mounted over another mount has it as its parent. */
export function mountsOn(table: readonly Mount[], dir: string): readonly Mount[] {
  const layers = table.filter(({ target }) => target === dir);
  if (layers.length < 2) return layers;
  const ids = new Set(layers.map(({ id }) => id));
  return withChildren(
    layers,
    layers.filter(({ parent }) => !ids.has(parent)),
  );
}

/** The first ones, then what is mounted on them, then what is mounted on those. */
function withChildren(table: readonly Mount[], first: readonly Mount[]): readonly Mount[] {
  const children = new Map<number, Mount[]>();
  for (const mount of table) {
    const siblings = children.get(mount.parent);
    if (siblings) siblings.push(mount);
    else children.set(mount.parent, [mount]);
  }
  const found = new Set(first);
  for (const { id } of found) {
    for (const child of children.get(id) ?? []) found.add(child);
    children.delete(id);
  }
  return [...found];
}

/** The visible mount on exactly `dir`. */
export const mountOn = (table: readonly Mount[], dir: string): Mount | undefined =>
  mountsOn(table, dir).at(-1);

type Numbers = Pick<Mount, 'id' | 'device' | 'type' | 'source' | 'superOptions'>;
type MountIdentity = Numbers & Pick<Mount, 'root' | 'target'>;

/** Of the superblock's options, those that say which tree it is: a subvolume of btrfs, an overlay's layers. */
export const treeOptions = ({ superOptions }: Pick<Mount, 'superOptions'>): readonly string[] =>
  superOptions.filter((option) => /^(subvolid|(upp|low)erdir\+?)=/.test(option));

/** Whether one may be the other by another name: the kernel gives the lowest id that is free, so the next mount often has it. */
export const mayBeSameMount = (one: Numbers, other: Numbers): boolean =>
  (['id', 'device', 'type', 'source'] as const).every((field) => one[field] === other[field]) &&
  treeOptions(one).join() === treeOptions(other).join();

/** Whether both are the very same one. What was renamed meanwhile, a directory above it or the one that it shows, is not. */
export const isSameMount = (one: MountIdentity, other: MountIdentity): boolean =>
  mayBeSameMount(one, other) &&
  unlinkedRoot(one.root) === unlinkedRoot(other.root) &&
  one.target === other.target;

/** Whether it is still mounted, where it was. */
export const isMountedStill = async (host: Host, mount: Mount): Promise<boolean> =>
  (await mounts(host)).some((one) => isSameMount(one, mount));

/** What is mounted below a mount, directly or further down; children before their parents, as they must be unmounted. */
export const mountsBelow = (table: readonly Mount[], { id }: Mount): readonly Mount[] =>
  withChildren(
    table,
    table.filter((mount) => mount.parent === id && mount.id !== id),
  ).toReversed();

/** Whether `path` is `dir` or lies below it, component by component. */
export const isWithin = (path: string, dir: string): boolean =>
  path === dir || path.startsWith(dir === '/' ? '/' : `${dir}/`);

/** The mount that a path is on: where it leads from mount to mount, past those that a later one hides. */
export const mountHolding = (table: readonly Mount[], path: string): Mount | undefined =>
  reached(table.filter(({ target }) => isWithin(path, target)));

/**
 * What hides a mount: something was mounted over it, or over a directory above it, later than it. The table lists both, the path leads
 * to the later one.
 */
export function coverOf(table: readonly Mount[], { id, target }: Mount): Mount | undefined {
  const there = mountHolding(table, target);
  return there?.id === id ? undefined : there;
}

/**
 * Of mounts that hold one path, the one that it ends on. What is mounted over `/` hides nothing from processes that have the old one
 * for their root, and everything from others: all of it counts as one.
 */
function reached(above: readonly Mount[]): Mount | undefined {
  const ids = new Set(above.map(({ id }) => id));
  const roots = above.filter(({ target }) => target === '/');
  const children = new Map<number, Mount[]>();
  for (const mount of above) {
    if (mount.target === '/') continue;
    const siblings = children.get(mount.parent);
    if (siblings) siblings.push(mount);
    else children.set(mount.parent, [mount]);
  }
  const begins = above.filter(({ id, parent }) => !ids.has(parent) || parent === id);
  let here = roots.at(-1) ?? deepest(begins);
  let next =
    roots.length > 0 ? roots.flatMap(({ id }) => children.get(id) ?? []) : children.get(here?.id ?? 0);
  for (let steps = above.length; here && next?.length && steps > 0; steps--) {
    here = next.reduce((first, one) => (one.target.length <= first.target.length ? one : first));
    next = children.get(here.id);
  }
  return here;
}

const deepest = (all: readonly Mount[]): Mount | undefined =>
  all.reduce<Mount | undefined>(
    (best, one) => (one.target.length >= (best?.target.length ?? 0) ? one : best),
    undefined,
  );

/**
 * Whether a path without links can be looked at in this process: on the root filesystem, in memory, or on the filesystem of Pacemaker's
 * own files (a /var of its own), which is the node's and hangs together with Pacemaker.
 */
export function answersHere(path: string, table: readonly Mount[]): boolean {
  const holder = mountHolding(table, path);
  if (holder === undefined || holder.target === '/' || inMemory.has(holder.type)) return true;
  return isWithin(pacemaker, holder.target) && mountHolding(table, pacemaker) === holder;
}

const pacemaker = '/var/lib/pacemaker';

const inMemory: ReadonlySet<string> = new Set(['tmpfs', 'devtmpfs', 'ramfs', 'proc', 'sysfs']);

/** A mount's root as it was before the directory was removed. */
export const unlinkedRoot = (root: string): string => root.replace(/\/\/deleted$/, '') || '/';

/** No trailing, double or dot slashes; always absolute. Text only: nothing is touched. */
export function tidyPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

const mostLinks = 40; // as the kernel's own limit
const resolveMs = 5000;

/**
 * The path without symbolic links, whether it exists or not. Only components on the root filesystem or in memory are looked at
 * in this process; what lies on another mount may hang in the kernel, so a child with a deadline resolves it, and a mount point
 * itself is known from the table to be no link. What cannot be resolved stays as it is.
 */
export const canonicalPath = async (host: Host, path: string, table: readonly Mount[]): Promise<string> =>
  (await resolvePath(host, path, table)).path;

/** The same; `trouble` says why some of it could not be resolved: the storage it lies on does not answer, or with an error. */
export async function resolvePath(
  host: Host,
  path: string,
  table: readonly Mount[],
): Promise<{ readonly path: string; readonly trouble?: string }> {
  const { known, rest, trouble } = await trustedPart(host, path, table);
  const whole = [known === '/' ? '' : known, ...rest].join('/') || '/';
  if (trouble !== undefined || rest.length === 0) return { path: whole, ...(trouble && { trouble }) };
  const output = await host.tryRun(['realpath', '-m', '-z', '--', whole], { timeoutMs: resolveMs });
  if (output.code === 0) return { path: output.stdout.replace(/\0$/, '') };
  return { path: whole, trouble: `cannot resolve ${whole}: ${outputTrouble(output)}` };
}

/**
 * How far a path leads without touching managed storage: links in it are followed as long as they lie where only root of this machine
 * writes. `known` holds no link, `rest` are the names that lead on below managed storage, `links` those that were followed.
 */
export async function trustedPart(
  host: Host,
  path: string,
  table: readonly Mount[],
): Promise<{
  readonly known: string;
  readonly rest: readonly string[];
  readonly links: readonly string[];
  readonly trouble?: string;
}> {
  const tidy = tidyPath(path);
  const mountPoints = new Set(table.map((mount) => mount.target));
  if (mountPoints.has(tidy)) return { known: tidy, rest: [], links: [] };
  const links: string[] = [];
  let done = '';
  let names = tidy.split('/').filter(Boolean);
  for (let at = 0; at < names.length; ) {
    const next = `${done}/${names[at]}`;
    const isMountPoint = mountPoints.has(next);
    if (!isMountPoint && !answersHere(next, table))
      return { known: done || '/', rest: names.slice(at), links };
    at++;
    let target: string | undefined;
    try {
      if (!isMountPoint) target = await host.sys.target(next);
    } catch (error) {
      const rest = names.slice(at);
      if (!isAbsence(error) && !isNoLink(error))
        return { known: next, rest, links, trouble: `cannot resolve ${[next, ...rest].join('/')}` };
    }
    if (target === undefined || links.length >= mostLinks) {
      done = next;
      continue;
    }
    links.push(next);
    const base = target.startsWith('/') ? target : `${done}/${target}`;
    names = [...tidyPath(base).split('/').filter(Boolean), ...names.slice(at)];
    at = 0;
    done = '';
  }
  return { known: done || '/', rest: [], links };
}

const isNoLink = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === 'EINVAL';

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** The kernel's octal escapes for blank, tab, newline, backslash and `#` (seq_file's mangle_path). Bytes, not characters. */
export function decodeOctal(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replace(/(?:\\[0-7]{3})+/g, (run) =>
    textOf(
      Buffer.from(
        run
          .split('\\')
          .slice(1)
          .map((octal) => Number.parseInt(octal, 8)),
      ),
    ),
  );
}
