import type { Host } from '../host.ts';
import { listIfThere } from '../local-files.ts';
import { processIds } from '../process-table.ts';
import { mountNamespace } from './mount-namespace.ts';
import { type MountUser, type Place, processesUsing, type Search, type Space } from './mount-users.ts';
import { isWithin, type Mount, mounts, parseMountinfo, tidyPath } from './mounts.ts';

// Shared propagation (mount_namespaces(7)): what is unmounted below one mount of a peer group goes below all of them, in whichever mount
// namespace. The kernel refuses where one of those that would go is busy. systemd makes / shared, and a service with PrivateTmp= or
// ProtectSystem= has copies; so has whoever calls unshare(1).

/** What unmounting `mount` takes along: whatever is mounted below a peer of its parent, or below a slave of one, at the same place. */
export function takenAlongWith<M extends Mount>(table: readonly M[], mount: Mount): readonly M[] {
  const parent = table.find(({ id }) => id === mount.parent);
  if (parent?.shared === undefined) return [];
  const place = within(parent.root, mount.target.slice(parent.target === '/' ? 0 : parent.target.length));
  const targets = new Map<number, string>();
  for (const receiver of receiversOf(table, parent))
    if (isWithin(place, receiver.root))
      targets.set(
        receiver.id,
        within(receiver.target, place.slice(receiver.root === '/' ? 0 : receiver.root.length)),
      );
  return table.filter(({ parent: on, target }) => targets.get(on) === target);
}

const within = (dir: string, rest: string): string => tidyPath(`${dir}/${rest}`);

/** Its peers, their slaves, and the slaves of those. */
function receiversOf(table: readonly Mount[], parent: Mount): readonly Mount[] {
  const groups = new Set([parent.shared]);
  const found = new Set<Mount>();
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const mount of table)
      if (
        mount.id !== parent.id &&
        ((mount.shared !== undefined && groups.has(mount.shared)) ||
          (mount.master !== undefined && groups.has(mount.master)))
      ) {
        found.add(mount);
        if (mount.shared !== undefined) groups.add(mount.shared);
      }
  }
  return [...found];
}

/** Who keeps a mount from being unmounted: whoever uses it, or one of its copies that must go with it. */
export const usersInTheWay = async (
  host: Host,
  mount: Mount,
  search: Search,
  until: number,
): Promise<readonly MountUser[]> =>
  processesUsing(host, [mount, ...(await copiesOf(host, mount, until))], search, until);

async function copiesOf(host: Host, mount: Mount, until: number): Promise<readonly Place[]> {
  const own: readonly Place[] = await mounts(host);
  if (own.find(({ id }) => id === mount.parent)?.shared === undefined) return [];
  const all = [...own];
  for (const space of await otherSpaces(host, until))
    all.push(...space.table.map((one) => ({ ...one, space })));
  return takenAlongWith(all, mount).filter(
    (copy) =>
      copy.id !== mount.id &&
      copy.device === mount.device &&
      copy.root === mount.root &&
      isAsked(
        all.filter(({ parent }) => parent === copy.id),
        copy,
      ),
  );
}

/** A copy with something mounted below it stays, whoever uses it; what covers it as a whole takes its place (propagate_mount_busy). */
const isAsked = (below: readonly Mount[], { target }: Mount): boolean =>
  below.every((one) => one.target === target);

/** Every other mount namespace as one process or thread in it shows it, one without a root directory of its own if there is such. */
async function otherSpaces(host: Host, until: number): Promise<readonly Space[]> {
  const found = new Map<string, Space & { readonly isWhole: boolean }>();
  const own = await mountNamespace(host, 'self');
  for (const pid of await processIds(host)) {
    if (host.sys.now() >= until) break;
    const threads = await listIfThere(host, `/proc/${pid}/task`).catch(() => []);
    for (const task of threads.length > 1 ? threads.map((id) => `${pid}/task/${id}`) : [`${pid}`]) {
      const name = await mountNamespace(host, task);
      if (name === undefined || name === own || found.get(name)?.isWhole) continue;
      const isWhole = (await host.sys.target(`/proc/${task}/root`).catch(() => '')) === '/';
      if (!isWhole && found.has(name)) continue;
      const table = parseMountinfo(await host.sys.read(`/proc/${task}/mountinfo`).catch(() => ''));
      if (table.length > 0) found.set(name, { name, table, isWhole });
    }
  }
  return [...found.values()];
}
