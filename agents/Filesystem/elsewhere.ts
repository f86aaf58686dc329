import type { Host } from '../../lib/host/host.ts';
import { isOrdinaryUsers } from '../../lib/host/host-daemons.ts';
import { listIfThere } from '../../lib/host/local-files.ts';
import { beginOf, processIds } from '../../lib/host/process-table.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import { asksAgain, type MountUser, processesUsing } from '../../lib/host/storage/mount-users.ts';
import { type Mount, mounts } from '../../lib/host/storage/mounts.ts';
import { evictAll, nameUsers } from './evict.ts';
import {
  describe,
  isOf,
  mountsOf,
  type Namespace,
  nameOf,
  otherNamespaces,
  overlaysIn,
  type Superblock,
  tableOf,
} from './namespaces.ts';
import type { Ctx } from './params.ts';

// A filesystem that is unmounted here stays active as long as another mount namespace has it, or a process holds what was unmounted
// below it. Any user may make a namespace of his own (`unshare -Urm`): it begins with a copy of every mount.

/** A superblock, and where it was mounted. */
export type Block = Superblock & Pick<Mount, 'target'>;

/** What may be done in one round. */
export type Round = {
  readonly until: number;
  readonly signals: readonly number[];
  /** What was said already. */
  readonly told: Set<string>;
};

/**
 * Unmounts it in every other namespace, and ends who uses it there. Where it cannot be unmounted, because a user's namespace has it by
 * the kernel's lock (mount_namespaces(7)), everybody in that namespace keeps it active: they are ended if all are ordinary users'.
 */
export async function releaseElsewhere(ctx: Ctx, block: Block, round: Round): Promise<void> {
  const { host } = ctx;
  const { until, signals } = round;
  const spaces = await otherNamespaces(host, until);
  const holding = spaces.filter((space) => mountsOf(space, block).length > 0);
  for (const space of holding) await unmountThere(ctx, space, block, round);
  const left = await Promise.all(
    holding.map(async (space) => ({ ...space, table: await tableOf(host, space.members[0], space.name) })),
  );
  let users = await usersThere(host, left, block, until);
  if (users.length === 0) users = await lockedIn(host, left, block);
  if (users.length === 0) users = await overlaid(host, spaces, block);
  if (users.length === 0) users = await detached(host, spaces, block, until);
  for (const signal of signals)
    await evictAll(ctx, users, signal, until, `${ctx.params.device} is still active`);
}

/**
 * By umount's own way into a namespace (-N, util-linux 2.33): nsenter(1) would run a program that the namespace's owner has put in
 * umount's place, as root. For the same reason no helper (-i).
 */
async function unmountThere(
  { host, log }: Ctx,
  space: Namespace,
  block: Block,
  { until, told }: Round,
): Promise<void> {
  for (const mount of mountsOf(space, block)) {
    const words = await describe(host, space, mount);
    if (!told.has(words)) log.info(`${words}: unmounting it there`);
    told.add(words);
    const argv = ['umount', '-N', String(space.members[0]), '-c', '-i', '--', mount.target] as const;
    await host.tryRun(argv, { timeoutMs: Math.max(1, Math.min(stepMs, until - host.sys.now())) });
  }
}

const stepMs = 2000;

function usersThere(
  host: Host,
  spaces: readonly Namespace[],
  block: Block,
  until: number,
): Promise<readonly MountUser[]> {
  const places = spaces.flatMap((space) => mountsOf(space, block).map((mount) => ({ ...mount, space })));
  return processesUsing(host, places, 'thorough', until);
}

/** Everybody in the namespaces that still have it. */
async function lockedIn(
  host: Host,
  spaces: readonly Namespace[],
  block: Block,
): Promise<readonly MountUser[]> {
  const found: MountUser[] = [];
  for (const space of spaces) {
    const [mount] = mountsOf(space, block);
    if (mount) found.push(...(await ordinary(host, space, `its mount namespace has it on ${mount.target}`)));
  }
  return found;
}

/** Everybody in a namespace with an overlay whose layers are on it. */
async function overlaid(
  host: Host,
  spaces: readonly Namespace[],
  { target }: Block,
): Promise<readonly MountUser[]> {
  const found: MountUser[] = [];
  for (const space of spaces) {
    const [overlay] = overlaysIn(space.table, target);
    if (overlay)
      found.push(...(await ordinary(host, space, `an overlay on ${overlay.target} has layers on it`)));
  }
  return found;
}

/** The members of a namespace, if all of them are ordinary users': a container of root's is nobody's to end. */
async function ordinary(host: Host, { members }: Namespace, how: string): Promise<readonly MountUser[]> {
  for (const pid of members) if (!(await isOrdinaryUsers(host, pid))) return [];
  return Promise.all(members.map((pid) => userAt(host, pid, how)));
}

const userAt = async (host: Host, pid: number, how: string): Promise<MountUser> => ({
  pid,
  startTime: await beginOf(host, pid),
  name: await nameOf(host, pid),
  how,
});

/**
 * Processes with a directory, a program or a file on a mount of the superblock that is in no table any more: it was unmounted lazily,
 * or its whole namespace was. A place that is on no mount known is asked for its device by a child.
 */
async function detached(
  host: Host,
  spaces: readonly Namespace[],
  block: Block,
  until: number,
): Promise<readonly MountUser[]> {
  const tables = [await mounts(host), ...spaces.map(({ table }) => table)];
  const all = tables.flat();
  // its number may be a new superblock's by now: who is on that one is none of ours
  if (all.some((mount) => mount.device === block.device && !isOf(mount, block))) return [];
  const known = new Map(all.map((mount) => [mount.id, mount.device]));
  // To ask a link of /proc that leads to one of these for its mount may wait for a server.
  const mayHang = all.some(({ type }) => asksAgain.has(type));
  const isOnIt = async (link: string, id: number | undefined): Promise<boolean> => {
    let its = id === undefined ? undefined : known.get(id);
    if (its === undefined) {
      its = (await pathFacts(host, link, askMs).catch(() => undefined))?.device ?? 'unknown';
      if (id !== undefined) known.set(id, its);
    }
    return its === block.device;
  };
  const found: MountUser[] = [];
  for (const pid of await processIds(host)) {
    if (host.sys.now() >= until) break;
    const dir = `/proc/${pid}`;
    for (const name of ['cwd', 'root', 'exe'] as const) {
      const text = await host.sys.target(`${dir}/${name}`).catch(() => '');
      if (text === '' || found.at(-1)?.pid === pid) continue;
      const id = mayHang ? undefined : await host.sys.mountId(`${dir}/${name}`).catch(() => undefined);
      if (await isOnIt(`${dir}/${name}`, id)) found.push(await userAt(host, pid, `${name} ${text}`));
    }
    if (found.at(-1)?.pid === pid) continue;
    for (const fd of await listIfThere(host, `${dir}/fd`).catch(() => [])) {
      if (host.sys.now() >= until) break;
      const text = await host.sys.target(`${dir}/fd/${fd}`).catch(() => '');
      if (!text.startsWith('/')) continue;
      const info = await host.sys.read(`${dir}/fdinfo/${fd}`).catch(() => '');
      const id = /^mnt_id:\s*(\d+)/m.exec(info)?.[1];
      if (id === undefined || !(await isOnIt(`${dir}/fd/${fd}`, Number(id)))) continue;
      found.push(await userAt(host, pid, `fd ${fd} ${text}`));
      break;
    }
  }
  return found;
}

const askMs = 500;

/** Who is known to keep it active; one phrase each. */
export async function describeDetached(host: Host, block: Block, until: number): Promise<string> {
  return nameUsers(await detached(host, await otherNamespaces(host, until), block, until), mostNamed);
}

const mostNamed = 3;
