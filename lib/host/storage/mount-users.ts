import type { Host } from '../host.ts';
import { isAbsence, listIfThere, undeleted } from '../local-files.ts';
import { beginOf, type ProcessIdentity, processIds, processName } from '../process-table.ts';
import { parseStat } from '../sys/process-stat.ts';
import { pathFacts } from './managed-files.ts';
import { isWithin, type Mount, mounts } from './mounts.ts';

/** A process that keeps a mount busy, and the first thing found that says so. */
export type MountUser = ProcessIdentity & {
  readonly name: string;
  /** E.g. `cwd /data/x`, `fd 4 /data/etab`, `mapped file /data/lib.so`, `fd 3 socket:[1141]`, `root …`, `exe …`; `thread 12: cwd …`. */
  readonly how: string;
};

/**
 * `quick` leaves out what a process has mapped, and what its threads have for themselves: most of the cost, and seldom what keeps
 * a mount busy. `suspects` is thorough, and has also who may use it for all that can be told: to be named, never to be ended.
 */
export type Search = 'quick' | 'thorough' | 'suspects';

/** A mount, with the mount namespace that it is in where that is not ours. */
export type Place = Mount & { readonly space?: Space };

/** Another mount namespace by its name, `mnt:[4026532281]`, and what is mounted there. */
export type Space = { readonly name: string; readonly table: readonly Mount[] };

/**
 * Every process that uses exactly these mounts: not the directory below a mount point, not another mount of the same device. The
 * texts of /proc are compared, and what reads like ours must have the mount's id. On a machine with very many processes what has
 * been found until then (`host.sys.now()`) is the answer.
 */
export async function processesUsing(
  host: Host,
  where: Mount | readonly Place[],
  search: Search = 'thorough',
  until = Number.POSITIVE_INFINITY,
): Promise<readonly MountUser[]> {
  const places: readonly Place[] = [where].flat();
  if (places.length === 0) return [];
  const [all, sockets] = await Promise.all([processIds(host), boundSockets(host, places)]);
  const look: Look = { host, places, sockets, search, until };
  const pids = all.toSorted((a, b) => b - a); // whoever came last is the likeliest
  const found: MountUser[] = [];
  for (let first = 0; first < pids.length && host.sys.now() < until; first += atOnce) {
    const looked = pids.slice(first, first + atOnce).map(async (pid) => {
      const startTime = await beginOf(host, pid); // before the look: a later process of this number uses nothing yet
      const how = await useOf(look, pid);
      return how === undefined ? [] : [{ pid, startTime, name: (await nameOf(host, pid)) ?? '?', how }];
    });
    found.push(...(await Promise.all(looked)).flat());
  }
  return found;
}

const atOnce = 16;
const nameOf = (host: Host, pid: number) => processName(host, pid).catch(() => undefined);

type Look = {
  readonly host: Host;
  readonly places: readonly Place[];
  readonly sockets: Sockets;
  readonly search: Search;
  readonly until: number;
};

async function useOf(look: Look, pid: number): Promise<string | undefined> {
  const dir = `/proc/${pid}`;
  const own = (await placeOn(look, dir, ['exe', 'cwd', 'root'])) ?? (await descriptorOn(look, dir));
  if (own !== undefined || look.search === 'quick') return own;
  return (await mappingOn(look, pid)) ?? threadOn(look, pid);
}

/** The mounts on which a path of /proc may be, as it reads. */
const near = ({ places }: Look, text: string): readonly Place[] =>
  places.filter((place) => isOn(text, place));

/** A place in words, with what tells a mount of another namespace from ours. */
const inWords = (what: string, text: string, { space }: Place): string =>
  `${what} ${undeleted(text)}${space ? ' in another mount namespace' : ''}`;

/** What a process runs, and where it stands. */
async function placeOn(
  look: Look,
  dir: string,
  names: readonly ('exe' | 'cwd' | 'root')[],
): Promise<string | undefined> {
  for (const name of names) {
    const text = await look.host.sys.target(`${dir}/${name}`).catch(() => '');
    const place = await placeOf(look.host, dir, name, near(look, text));
    if (place) return inWords(name, text, place);
  }
  return undefined;
}

/** A thread may have directories (CLONE_FS) and descriptors (CLONE_FILES) of its own, and outlive the first one. */
async function threadOn(look: Look, pid: number): Promise<string | undefined> {
  const threads = await quietly(listIfThere(look.host, `/proc/${pid}/task`));
  for (const thread of threads) {
    if (thread === String(pid)) continue;
    const dir = `/proc/${pid}/task/${thread}`;
    const how = (await placeOn(look, dir, ['cwd', 'root'])) ?? (await descriptorOn(look, dir));
    if (how !== undefined) return `thread ${thread}: ${how}`;
  }
  return undefined;
}

async function descriptorOn(look: Look, dir: string): Promise<string | undefined> {
  const { host, sockets, search, until } = look;
  let asked = 0;
  for (const fd of await quietly(listIfThere(host, `${dir}/fd`))) {
    const text = await host.sys.target(`${dir}/fd/${fd}`).catch(() => '');
    const socket = sockets.get(text);
    if (socket?.isFile && asked++ < mostAsked && host.sys.now() < until) {
      const place = await placeOfSocket(look, dir, socket);
      if (place) return inWords(`fd ${fd}`, text, place);
    }
    if (socket && search === 'suspects') return `fd ${fd} ${text}, perhaps of ${socket.path}`;
    const places = near(look, text);
    if (places.length === 0) continue;
    const info = await host.sys.read(`${dir}/fdinfo/${fd}`).catch(() => '');
    const id = /^mnt_id:\s*(\d+)/m.exec(info)?.[1];
    const place = places.find((one) => id === undefined || Number(id) === one.id);
    if (place) return inWords(`fd ${fd}`, text, place);
  }
  return undefined;
}

/** Sockets of one process that a program is asked about, some milliseconds each. */
const mostAsked = 32;

/**
 * proc_pid_maps(5):
 *
 *     00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/dbus-daemon
 *     (1)               (2)  (3)      (4)   (5)    (6)
 *
 * (1) addresses, without leading zeros also the name of a link in map_files, (2) permissions, (3) offset, (4) device in
 * hexadecimal, (5) inode, (6) path, of which only line breaks are escaped.
 */
async function mappingOn(look: Look, pid: number): Promise<string | undefined> {
  const { host, places } = look;
  if (await isStuckInMemory(host, pid)) return undefined;
  const maps = await host.sys.read(`/proc/${pid}/maps`).catch(() => '');
  if (!places.some(({ target }) => maps.includes(target))) return undefined;
  for (const line of maps.split('\n')) {
    const [, from = '', to = '', device = '', path = ''] =
      /^0*([1-9a-f][0-9a-f]*|0)-0*([1-9a-f][0-9a-f]*|0) \S+ \S+ (\S+) \d+ +(\/.*)$/.exec(line) ?? [];
    const candidates = near(look, path).filter(
      (one) => one.type === 'overlay' || isSameDevice(device, one.device),
    );
    const place = await placeOf(host, `/proc/${pid}`, `map_files/${from}-${to}`, candidates);
    if (place) return inWords('mapped file', path, place);
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
 * To which of these mounts a link of a process leads: what was opened or entered before the mount reads the same and lies below it. Where
 * the kernel does not say, the text decides.
 */
async function placeOf(
  host: Host,
  dir: string,
  name: string,
  places: readonly Place[],
): Promise<Place | undefined> {
  if (places.length === 0) return undefined;
  const link = `${dir}/${name}`;
  // NFS and 9P ask the server again even about a place that somebody stands on (d_weak_revalidate): a child may wait for that.
  if (places.some(({ type }) => asksAgain.has(type))) {
    const facts = await pathFacts(host, link, askMs).catch(() => undefined);
    const space = await spaceOf(host, dir);
    return places.find(
      (one) => one.space?.name === space && (facts === undefined || facts.device === one.device),
    );
  }
  try {
    const id = await host.sys.mountId(link);
    return places.find((one) => one.id === id);
  } catch (error) {
    return isAbsence(error) ? undefined : places[0];
  }
}

export const asksAgain: ReadonlySet<string> = new Set(['nfs', 'nfs4', '9p', 'afs']);
const askMs = 1000;

/** The mount namespace that a process is in; `undefined` for ours. */
async function spaceOf(host: Host, dir: string): Promise<string | undefined> {
  const [its, own] = await Promise.all(
    [dir, '/proc/self'].map((one) => host.sys.target(`${one}/ns/mnt`).catch(() => undefined)),
  );
  return its === own ? undefined : its;
}

/** A socket that may keep a mount busy. */
type Socket = {
  readonly inode: number;
  /** As it was bound: in whichever namespace, below whichever root directory, before or after the mount. */
  readonly path: string;
  /** Whether ss says that its file is on the superblock. */
  readonly isFile: boolean;
};
/** By the text of a descriptor, `socket:[1141]`. */
type Sockets = ReadonlyMap<string, Socket>;

/** Sockets bound to a path keep its mount busy. Who binds one chooses its name, also one that reads like several lines of a table. */
async function boundSockets(host: Host, places: readonly Place[]): Promise<Sockets> {
  const table = await host.sys.read('/proc/net/unix').catch(() => '');
  const paths = new Map<number, string>();
  for (const line of table.split('\n')) {
    const [, inode, path = ''] = /^\S+ \S+ \S+ \S+ \S+ \S+ +(\d+) ([^@].*)$/.exec(line) ?? [];
    if (inode && (!path.startsWith('/') || places.some((place) => isOn(path, place))))
      paths.set(Number(inode), path);
  }
  if (paths.size === 0) return new Map();
  const { stdout } = await host.tryRun(['ss', '-A', 'unix', '-aeH'], { timeoutMs: askMs });
  const devices = new Set(places.map(({ device }) => device));
  const files = new Set<number>();
  for (const line of stdout.split('\n')) {
    const file = fileIn(line);
    if (file && devices.has(file.device)) files.add(file.socket);
  }
  const found = [...paths].map(([inode, path]): Socket => ({ inode, path, isFile: files.has(inode) }));
  const sockets = found.filter(({ path, isFile }) => isFile || path.startsWith('/'));
  return new Map(sockets.map((socket) => [`socket:[${socket.inode}]`, socket]));
}

/**
 * ss(8) with -e:
 *
 *     u_str LISTEN 0 128 /data/sock 5963304 * 0 <-> ino:12 dev:0/2065 peers:
 *                        (1)        (2)     (3)     (4)    (5)
 *
 * (1) name, (2) inode of the socket, (3) peer, (4) inode of its file, (5) the kernel's number of the superblock (20 bits of minor), split as
 * if it were a program's. Only the name is of somebody's choice.
 */
function fileIn(text: string) {
  const [, socket, ino, major, minor] =
    / (-?\d+) +\* -?\d+ +(?:[-<>]{3} +)?ino:(\d+) dev:(\d+)\/(\d+)(?: +peers:[ \d]*)?$/.exec(
      text.trimEnd(),
    ) ?? [];
  if (minor === undefined) return undefined;
  const [high, low] = [Number(major), Number(minor)];
  const device = (((low >>> 8) << 20) | (high << 8) | (low & 0xff)) >>> 0;
  return {
    socket: Number(socket) >>> 0,
    ino: Number(ino),
    device: `${device >>> 20}:${device & 0xf_ffff}`,
  };
}

/**
 * The mount that a process's socket is bound to, where that can be proved. The kernel names the file, not its mount. That is the only mount
 * of its superblock in the process's namespace, or the one where the path leads to this very file.
 */
async function placeOfSocket(look: Look, dir: string, { inode, path }: Socket): Promise<Place | undefined> {
  const { host } = look;
  const space = await spaceOf(host, dir);
  const places = look.places.filter((one) => one.space?.name === space);
  if (places.length === 0) return undefined;
  // Only this one is shown, so no other's name can speak for it. A number is a port to ss where not all are unix sockets.
  const argv = ['ss', '-A', 'unix,packet_raw', '-aeH', `sport = :${inode | 0}`] as const;
  const file = fileIn((await host.tryRun(argv, { timeoutMs: askMs })).stdout);
  const place = places.find(({ device }) => device === file?.device);
  if (!file || !place) return undefined;
  const table = place.space?.table ?? (await mounts(host));
  if (table.filter(({ device }) => device === place.device).length === 1) return place;
  const there = places.find((one) => isOn(path, one));
  if (!there || there.space || (await host.sys.target(`${dir}/root`).catch(() => '')) !== '/')
    return undefined;
  const facts = await pathFacts(host, path, askMs).catch(() => undefined);
  return facts && BigInt.asUintN(32, BigInt(facts.ino)) === BigInt(file.ino) ? there : undefined;
}

/** A process that ends meanwhile, or that we may not look at, uses nothing that could be told. */
const quietly = (names: Promise<readonly string[]>): Promise<readonly string[]> => names.catch(() => []);

/** Whether a path reads like one on the mount. */
export const isOn = (text: string, { target }: Pick<Mount, 'target'>): boolean =>
  isWithin(undeleted(text), target);
