import type { Host } from '../host.ts';
import { isAbsence, listIfThere } from '../local-files.ts';
import { beginOf, type ProcessIdentity, processIds, processName } from '../process-table.ts';
import { parseStat } from '../sys/process-stat.ts';
import { pathFacts } from './managed-files.ts';
import { isWithin, type Mount } from './mounts.ts';

/** A process that keeps a mount busy, and the first thing found that says so. */
export type MountUser = ProcessIdentity & {
  readonly name: string;
  /** E.g. `cwd /data/x`, `fd 4 /data/etab`, `mapped file /data/lib.so`, `socket /data/sock`, `root …`, `exe …`; `thread 12: cwd …`. */
  readonly how: string;
};

/**
 * `quick` leaves out what a process has mapped, and what its threads have for themselves: most of the cost, and seldom what keeps
 * a mount busy.
 */
export type Search = 'quick' | 'thorough';

/**
 * Every process that uses exactly this mount: not the directory below its mount point, not another mount of the same device. The
 * texts of /proc are compared, and what reads like ours must have the mount's id. On a machine with very many processes what has
 * been found until then (`host.sys.now()`) is the answer.
 */
export async function processesUsing(
  host: Host,
  mount: Mount,
  search: Search = 'thorough',
  until = Number.POSITIVE_INFINITY,
): Promise<readonly MountUser[]> {
  const [all, sockets] = await Promise.all([processIds(host), boundSockets(host, mount)]);
  const pids = all.toSorted((a, b) => b - a); // whoever came last is the likeliest
  const found: MountUser[] = [];
  for (let first = 0; first < pids.length && host.sys.now() < until; first += atOnce) {
    const looked = pids.slice(first, first + atOnce).map(async (pid) => {
      const startTime = await beginOf(host, pid); // before the look: a later process of this number uses nothing yet
      const how = await useOf(host, pid, mount, sockets, search);
      return how === undefined ? [] : [{ pid, startTime, name: (await nameOf(host, pid)) ?? '?', how }];
    });
    found.push(...(await Promise.all(looked)).flat());
  }
  return found;
}

const atOnce = 16;
const nameOf = (host: Host, pid: number) => processName(host, pid).catch(() => undefined);

type Bound = ReadonlySet<string>;

async function useOf(
  host: Host,
  pid: number,
  mount: Mount,
  sockets: Bound,
  search: Search,
): Promise<string | undefined> {
  const dir = `/proc/${pid}`;
  const own =
    (await placeOn(host, dir, mount, ['exe', 'cwd', 'root'])) ??
    (await descriptorOn(host, dir, mount, sockets));
  if (own !== undefined || search === 'quick') return own;
  return (await mappingOn(host, pid, mount)) ?? threadOn(host, pid, mount, sockets);
}

/** What a process runs, and where it stands. */
async function placeOn(
  host: Host,
  dir: string,
  mount: Mount,
  names: readonly ('exe' | 'cwd' | 'root')[],
): Promise<string | undefined> {
  for (const name of names) {
    const text = await host.sys.target(`${dir}/${name}`).catch(() => '');
    if (isOn(text, mount) && (await isOnMount(host, `${dir}/${name}`, mount)))
      return `${name} ${undeleted(text)}`;
  }
  return undefined;
}

/** A thread may have directories (CLONE_FS) and descriptors (CLONE_FILES) of its own, and outlive the first one. */
async function threadOn(host: Host, pid: number, mount: Mount, sockets: Bound): Promise<string | undefined> {
  const threads = await quietly(listIfThere(host, `/proc/${pid}/task`));
  for (const thread of threads) {
    if (thread === String(pid)) continue;
    const dir = `/proc/${pid}/task/${thread}`;
    const how =
      (await placeOn(host, dir, mount, ['cwd', 'root'])) ?? (await descriptorOn(host, dir, mount, sockets));
    if (how !== undefined) return `thread ${thread}: ${how}`;
  }
  return undefined;
}

async function descriptorOn(
  host: Host,
  dir: string,
  mount: Mount,
  sockets: Bound,
): Promise<string | undefined> {
  for (const fd of await quietly(listIfThere(host, `${dir}/fd`))) {
    const text = await host.sys.target(`${dir}/fd/${fd}`).catch(() => '');
    if (sockets.has(text)) return `fd ${fd} ${text}`;
    if (!isOn(text, mount)) continue;
    const info = await host.sys.read(`${dir}/fdinfo/${fd}`).catch(() => '');
    const id = /^mnt_id:\s*(\d+)/m.exec(info)?.[1];
    if (id === undefined || Number(id) === mount.id) return `fd ${fd} ${undeleted(text)}`;
  }
  return undefined;
}

/**
 * proc_pid_maps(5):
 *
 *     00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/dbus-daemon
 *     (1)               (2)  (3)      (4)   (5)    (6)
 *
 * (1) addresses, without leading zeros also the name of a link in map_files, (2) permissions, (3) offset, (4) device in
 * hexadecimal, (5) inode, (6) path, of which only line breaks are escaped.
 */
async function mappingOn(host: Host, pid: number, mount: Mount): Promise<string | undefined> {
  if (await isStuckInMemory(host, pid)) return undefined;
  const maps = await host.sys.read(`/proc/${pid}/maps`).catch(() => '');
  if (!maps.includes(mount.target)) return undefined;
  for (const line of maps.split('\n')) {
    const [, from = '', to = '', device = '', path = ''] =
      /^0*([1-9a-f][0-9a-f]*|0)-0*([1-9a-f][0-9a-f]*|0) \S+ \S+ (\S+) \d+ +(\/.*)$/.exec(line) ?? [];
    if (!isOn(path, mount) || (mount.type !== 'overlay' && !isSameDevice(device, mount.device))) continue;
    if (await isOnMount(host, `/proc/${pid}/map_files/${from}-${to}`, mount))
      return `mapped file ${undeleted(path)}`;
  }
  return undefined;
}

/** btrfs and overlay number their files' devices differently from their mounts. */
const isSameDevice = (hex: string, decimal: string): boolean =>
  decimal.startsWith('0:') || decimalDevice(hex) === decimal;

/** Maps prints `08:01` in hexadecimal, mountinfo `8:1` in decimal. */
function decimalDevice(hex: string): string {
  const [major = '', minor = ''] = hex.split(':');
  return `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}`;
}

/**
 * A thread that hangs in a page fault holds the lock of the address space for readers; once a second thread waits to change the
 * mappings, every further reader, such as we, waits behind it.
 */
async function isStuckInMemory(host: Host, pid: number): Promise<boolean> {
  const threads = await quietly(listIfThere(host, `/proc/${pid}/task`));
  if (threads.length < 2) return false;
  for (const thread of threads) {
    const stat = await host.sys.read(`/proc/${pid}/task/${thread}/stat`).catch(() => '');
    if (parseStat(stat)?.state === 'D') return true;
  }
  return false;
}

/**
 * Whether a link of /proc leads to this mount: what was opened or entered before the mount reads the same and lies below it. Where
 * the kernel does not say, the text decides.
 */
async function isOnMount(host: Host, link: string, mount: Mount): Promise<boolean> {
  // NFS and 9P ask the server again even about a place that somebody stands on (d_weak_revalidate): a child may wait for that.
  if (asksAgain.has(mount.type)) {
    const facts = await pathFacts(host, link, askMs).catch(() => undefined);
    return facts === undefined || facts.device === mount.device;
  }
  try {
    return (await host.sys.mountId(link)) === mount.id;
  } catch (error) {
    return !isAbsence(error);
  }
}

export const asksAgain: ReadonlySet<string> = new Set(['nfs', 'nfs4', '9p', 'afs']);
const askMs = 1000;

/** Sockets bound to a path of the mount keep it busy, yet their descriptors read `socket:[inode]`. */
async function boundSockets(host: Host, mount: Mount): Promise<Bound> {
  const table = await host.sys.read('/proc/net/unix').catch(() => '');
  const bound = new Set<string>();
  for (const line of table.split('\n')) {
    const [, inode = '', path = ''] = /^\S+ \S+ \S+ \S+ \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
    if (isOn(path, mount)) bound.add(`socket:[${inode}]`);
  }
  return bound;
}

/** A process that ends meanwhile, or that we may not look at, uses nothing that could be told. */
const quietly = (names: Promise<readonly string[]>): Promise<readonly string[]> => names.catch(() => []);

const deletedSuffix = ' (deleted)';
/** A path as /proc shows it, without what it says of a file that was removed. */
export const undeleted = (text: string): string =>
  text.endsWith(deletedSuffix) ? text.slice(0, -deletedSuffix.length) : text;
/** Whether a path reads like one on the mount. */
export const isOn = (text: string, { target }: Pick<Mount, 'target'>): boolean =>
  isWithin(undeleted(text), target);
