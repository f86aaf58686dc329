import type { Host } from '../../lib/host/host.ts';
import { listIfThere } from '../../lib/host/local-files.ts';
import { processIds, processName } from '../../lib/host/process-table.ts';
import { mountNamespace } from '../../lib/host/storage/mount-namespace.ts';
import { isWithin, type Mount, parseMountinfo } from '../../lib/host/storage/mounts.ts';
import { layersOf } from './names.ts';

/** A mount namespace that is not ours. */
export type Namespace = {
  /** As /proc names it: `mnt:[4026532281]`. */
  readonly name: string;
  /** Who lives there: processes, and those with a thread there. */
  readonly members: readonly [number, ...number[]];
  /** What the first of them sees of it. */
  readonly table: readonly Mount[];
  /** Nobody there could be asked: what is mounted there is unknown. */
  readonly isUnread?: true;
};

/** Every other mount namespace that somebody lives in. */
export async function otherNamespaces(
  host: Host,
  until = Number.POSITIVE_INFINITY,
): Promise<readonly Namespace[]> {
  let spaces = await scan(host, until);
  // a namespace whose members have ended is gone, or others have come to live there
  for (let round = 1; round < mostRounds && spaces.some(({ isUnread }) => isUnread); round++)
    spaces = await scan(host, until);
  return spaces;
}

const mostRounds = 5;

async function scan(host: Host, until: number): Promise<readonly Namespace[]> {
  const own = await mountNamespace(host, 'self');
  const found = new Map<string, Namespace>();
  const asked = new Set<number>();
  // Who begins while others are asked may be the last one of a namespace, its parent having ended.
  for (let round = 0; round < mostRounds; round++) {
    const fresh = (await processIds(host)).filter((pid) => !asked.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) {
      if (host.sys.now() >= until) return [...found.values()];
      asked.add(pid);
      for (const name of await namespacesOf(host, pid)) {
        if (name === own) continue;
        const known = found.get(name);
        const table = known && !known.isUnread ? undefined : await tableFor(host, pid, name);
        if (table) found.set(name, { name, members: [pid, ...(known?.members ?? [])], table });
        else if (known) found.set(name, { ...known, members: [...known.members, pid] });
        else found.set(name, { name, members: [pid], table: [], isUnread: true });
      }
    }
  }
  return [...found.values()];
}

/** Of a process and its threads, each of which may have its own. */
async function namespacesOf(host: Host, pid: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const itself = await mountNamespace(host, pid);
  if (itself !== undefined) found.add(itself);
  const threads = await listIfThere(host, `/proc/${pid}/task`).catch(() => []);
  if (threads.length < 2) return found;
  for (const thread of threads) {
    const its = await mountNamespace(host, `${pid}/task/${thread}`);
    if (its !== undefined) found.add(its);
  }
  return found;
}

/** As the process sees it; where only a thread of it lives there, as that thread does. Empty for one that does not any more. */
export const tableOf = async (host: Host, pid: number, namespace: string): Promise<readonly Mount[]> =>
  (await tableFor(host, pid, namespace)) ?? [];

async function tableFor(host: Host, pid: number, namespace: string): Promise<readonly Mount[] | undefined> {
  const tasks = [String(pid)];
  if ((await mountNamespace(host, pid)) !== namespace)
    for (const thread of await listIfThere(host, `/proc/${pid}/task`).catch(() => []))
      tasks.unshift(`${pid}/task/${thread}`);
  for (const task of tasks) {
    if ((await mountNamespace(host, task)) !== namespace) continue;
    const text = await host.sys.read(`/proc/${task}/mountinfo`).catch(() => undefined);
    // it may have left for another one before that was read
    if (text !== undefined && (await mountNamespace(host, task)) === namespace) return parseMountinfo(text);
  }
  return undefined;
}

/** A superblock: by the number of its disk, and where it has none of its own by what is mounted as well. */
export type Superblock = Pick<Mount, 'device'> & Partial<Pick<Mount, 'type' | 'source'>>;

/**
 * Whether a mount shows a superblock. Numbers of filesystems without a disk of their own (btrfs, servers, FUSE) are given to the next one as
 * soon as they are free: of those, somebody's new mount is not the one that has just gone.
 */
export const isOf = (mount: Mount, { device, type, source }: Superblock): boolean =>
  mount.device === device && (!device.startsWith('0:') || (mount.type === type && mount.source === source));

/** The mounts of a superblock in a namespace, the last one first, as they must go. */
export const mountsOf = ({ table }: Namespace, block: Superblock): readonly Mount[] =>
  table.filter((mount) => isOf(mount, block)).reverse();

/** Whether an overlay of the namespace has layers on a directory, by the paths that it was given. */
export const overlaysIn = (table: readonly Mount[], directory: string): readonly Mount[] =>
  table
    .filter(({ type }) => type === 'overlay')
    .filter(({ superOptions }) =>
      layersOf(superOptions, 'lowerdir', 'upperdir', 'workdir').some((path) => isWithin(path, directory)),
    );

/** Who has a superblock mounted although it is unmounted here, or may have; one phrase per namespace. */
export async function describeElsewhere(
  host: Host,
  block: Superblock,
  until?: number,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const namespace of await otherNamespaces(host, until)) {
    const [mount] = mountsOf(namespace, block);
    const [pid] = namespace.members;
    if (mount) found.push(await describe(host, namespace, mount));
    else if (namespace.isUnread)
      found.push(`whether the mount namespace of ${await nameOf(host, pid)}[${pid}] has it cannot be read`);
  }
  return found;
}

export const describe = async (
  host: Host,
  { members: [pid] }: Namespace,
  { target }: Mount,
): Promise<string> => `the mount namespace of ${await nameOf(host, pid)}[${pid}] has it on ${target}`;

export const nameOf = async (host: Host, pid: number): Promise<string> =>
  (await processName(host, pid).catch(() => undefined)) ?? '?';
