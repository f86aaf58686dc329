import type { Host } from '../host.ts';
import { nfsClientsOn } from '../nfs/clients.ts';
import { kernelExports } from '../nfs/exports.ts';
import { parseStat } from '../sys/process-tree.ts';
import { decodeOctal, isWithin, type Mount, parseMountinfo } from './mounts.ts';

/** A process that keeps a mount busy, and the first thing found that says so. */
export type MountUser = {
  readonly pid: number;
  readonly name: string;
  /** E.g. `cwd /data/x`, `fd 4 /data/etab`, `mapped file /data/lib.so`, `socket /data/sock`, `root …`, `exe …`. */
  readonly how: string;
};

/**
 * Every process that uses exactly this mount: not the filesystem below its mount point, not another mount of the same device.
 * The texts of /proc are compared; no link is followed and nothing is stat'ed, so a dead server cannot hang the search.
 */
export async function processesUsing(
  host: Host,
  mount: Mount,
  search: Search = 'thorough',
): Promise<readonly MountUser[]> {
  const [pids, sockets, namespace] = await Promise.all([
    pidsOf(host),
    boundSockets(host, mount),
    host.sys.target('/proc/self/ns/mnt').catch(() => undefined),
  ]);
  const found: MountUser[] = [];
  for (let first = 0; first < pids.length; first += atOnce) {
    const looked = pids.slice(first, first + atOnce).map(async (pid) => {
      const how = await useOf(host, pid, mount, sockets, namespace, search);
      return how === undefined ? [] : [{ pid, name: await processName(host, pid), how }];
    });
    found.push(...(await Promise.all(looked)).flat());
  }
  return found;
}

/** `quick` leaves out what a process has mapped and nothing else: most of the cost, and seldom what keeps a mount busy. */
export type Search = 'quick' | 'thorough';

const atOnce = 64;

/** Of the cluster itself: without these the node is fenced. Kernel names end after 15 characters. */
const clusterDaemon = /^(pacemaker.*|corosync|pcsd|sbd|dlm_controld|crmd|lrmd|cib)$/;

type Named = Pick<MountUser, 'pid' | 'name'>;

/** Who must never be signalled: ourselves, whoever waits for our answer, init, the cluster's daemons. */
export async function protection(host: Host): Promise<(user: Named) => boolean> {
  const callers = new Set<number>();
  for (let pid = host.sys.pid; pid > 1; pid = await parentOf(host, pid)) callers.add(pid);
  return ({ pid, name }) => pid <= 1 || callers.has(pid) || clusterDaemon.test(name);
}

/** The name the kernel keeps (15 bytes): the command line itself cannot be read while the process hangs in a page fault. */
export const processName = async (host: Host, pid: number): Promise<string> =>
  (await host.sys.read(`/proc/${pid}/comm`).catch(() => '?')).trim();

/** What keeps a mount or its device busy without being a process of this mount namespace; one phrase each. */
export async function kernelUsers(host: Host, mount: Mount): Promise<readonly string[]> {
  const found = await Promise.all([
    loopDevicesOn(host, mount),
    swapsOn(host, mount),
    exportsOn(host, mount),
    nfsClientsOn(host, mount),
    otherNamespaces(host, mount).then((all) => all.map(describeElsewhere)),
  ]);
  return found.flat();
}

/** A mount of the same superblock in another mount namespace, and a process that lives there. */
export type Elsewhere = { readonly pid: number; readonly name: string; readonly target: string };

/** One entry per other mount namespace that has the superblock mounted. Unmounting here does not end it there. */
export async function otherNamespaces(
  host: Host,
  { device }: Pick<Mount, 'device'>,
): Promise<readonly Elsewhere[]> {
  const seen = new Set([await host.sys.target('/proc/self/ns/mnt').catch(() => undefined)]);
  const found: Elsewhere[] = [];
  for (const pid of await pidsOf(host)) {
    const namespace = await host.sys.target(`/proc/${pid}/ns/mnt`).catch(() => undefined);
    if (seen.has(namespace)) continue;
    seen.add(namespace);
    const table = parseMountinfo(await host.sys.read(`/proc/${pid}/mountinfo`).catch(() => ''));
    const there = table.find((mount) => mount.device === device);
    if (there) found.push({ pid, name: await processName(host, pid), target: there.target });
  }
  return found;
}

export const describeElsewhere = ({ pid, name, target }: Elsewhere): string =>
  `the mount namespace of ${name}[${pid}] has it on ${target}`;

async function pidsOf(host: Host): Promise<readonly number[]> {
  const entries = await host.sys.list('/proc');
  return entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
}

async function parentOf(host: Host, pid: number): Promise<number> {
  return parseStat(await host.sys.read(`/proc/${pid}/stat`).catch(() => ''))?.parent ?? 0;
}

async function useOf(
  host: Host,
  pid: number,
  mount: Mount,
  sockets: ReadonlySet<string>,
  namespace: string | undefined,
  search: Search,
): Promise<string | undefined> {
  const linkOf = (name: string) => host.sys.target(`/proc/${pid}/${name}`).catch(() => undefined);
  const exe = await linkOf('exe');
  if (exe === undefined) return undefined; // a kernel thread or a zombie: neither holds a file
  // Seen from here, paths of another mount namespace look like ours without being ours; descriptors carry the mount's id.
  if (namespace === undefined || (await linkOf('ns/mnt')) === namespace) {
    const places = [
      ['exe', exe] as const,
      ['cwd', await linkOf('cwd')] as const,
      ['root', await linkOf('root')] as const,
    ];
    for (const [name, text] of places)
      if (text !== undefined && isOn(text, mount)) return `${name} ${undeleted(text)}`;
    const descriptor = await descriptorOn(host, pid, mount, sockets);
    return descriptor ?? (search === 'thorough' ? mappingOn(host, pid, mount) : undefined);
  }
  return descriptorOn(host, pid, mount, sockets);
}

async function descriptorOn(
  host: Host,
  pid: number,
  mount: Mount,
  sockets: ReadonlySet<string>,
): Promise<string | undefined> {
  for (const fd of await host.sys.list(`/proc/${pid}/fd`).catch(() => [])) {
    const text = await host.sys.target(`/proc/${pid}/fd/${fd}`).catch(() => '');
    if (sockets.has(text)) return `fd ${fd} ${text}`;
    if (!isOn(text, mount)) continue;
    const info = await host.sys.read(`/proc/${pid}/fdinfo/${fd}`).catch(() => '');
    const id = /^mnt_id:\s*(\d+)/m.exec(info)?.[1];
    if (id === undefined || Number(id) === mount.id) return `fd ${fd} ${undeleted(text)}`;
  }
  return undefined;
}

/** proc_pid_maps(5): `from-to perms offset dev inode path`; only line breaks of the path are escaped. */
async function mappingOn(host: Host, pid: number, mount: Mount): Promise<string | undefined> {
  if (await isStuckInMemory(host, pid)) return undefined;
  const maps = await host.sys.read(`/proc/${pid}/maps`).catch(() => '');
  if (!maps.includes(mount.target)) return undefined;
  for (const line of maps.split('\n')) {
    const [, device = '', path = ''] = /^\S+ \S+ \S+ (\S+) \d+ +(\/.*)$/.exec(line) ?? [];
    if (isOn(path, mount) && (mount.type === 'overlay' || sameDevice(device, mount.device)))
      return `mapped file ${undeleted(path)}`;
  }
  return undefined;
}

/**
 * A thread that hangs in a page fault holds the lock of the address space for readers; once a second thread waits to change the
 * mappings, every further reader, such as we, waits behind it.
 */
async function isStuckInMemory(host: Host, pid: number): Promise<boolean> {
  const threads = await host.sys.list(`/proc/${pid}/task`).catch(() => []);
  if (threads.length < 2) return false;
  for (const thread of threads) {
    const stat = await host.sys.read(`/proc/${pid}/task/${thread}/stat`).catch(() => '');
    if (parseStat(stat)?.state === 'D') return true;
  }
  return false;
}

/** Maps prints `08:01` in hexadecimal, mountinfo `8:1` in decimal. */
function sameDevice(hex: string, decimal: string): boolean {
  const [major = '', minor = ''] = hex.split(':');
  return `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}` === decimal;
}

/** Sockets bound to a path of the mount keep it busy, yet their descriptors read `socket:[inode]`. */
async function boundSockets(host: Host, mount: Mount): Promise<ReadonlySet<string>> {
  const table = await host.sys.read('/proc/net/unix').catch(() => '');
  const bound = new Set<string>();
  for (const line of table.split('\n')) {
    const [, inode = '', path = ''] = /^\S+ \S+ \S+ \S+ \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
    if (isOn(path, mount)) bound.add(`socket:[${inode}]`);
  }
  return bound;
}

async function loopDevicesOn(host: Host, mount: Mount): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await host.sys.list('/sys/block').catch(() => [])) {
    if (!name.startsWith('loop')) continue;
    const file = (await host.sys.read(`/sys/block/${name}/loop/backing_file`).catch(() => '')).trimEnd();
    if (isOn(file, mount)) found.push(`loop device ${name} has its backing file ${undeleted(file)}`);
  }
  return found;
}

async function swapsOn(host: Host, mount: Mount): Promise<readonly string[]> {
  const [, ...lines] = (await host.sys.read('/proc/swaps').catch(() => '')).split('\n');
  return lines
    .map((line) => decodeOctal(line.split(/\s/, 1)[0] ?? ''))
    .filter((file) => isOn(file, mount))
    .map((file) => `swap file ${file} is in use`);
}

async function exportsOn(host: Host, mount: Mount): Promise<readonly string[]> {
  const found = (await kernelExports(host)).filter(({ path }) => isOn(path, mount));
  const pathsOf = (wanted: boolean) => [
    ...new Set(found.filter(({ valid }) => valid === wanted).map(({ path }) => path)),
  ];
  return [
    ...pathsOf(true).map((path) => `the NFS server exports ${path}`),
    ...pathsOf(false).map((path) => `the NFS server has not yet forgotten ${path}`),
  ];
}

const deletedSuffix = ' (deleted)';
const undeleted = (text: string): string =>
  text.endsWith(deletedSuffix) ? text.slice(0, -deletedSuffix.length) : text;
const isOn = (text: string, { target }: Mount): boolean => isWithin(undeleted(text), target);
