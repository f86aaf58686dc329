import { Failure } from '../../lib/contract/outcome.ts';
import { commandTrouble } from '../../lib/host/host.ts';
import { isWithin, type Mount, mountOn, mounts, tidyPath } from '../../lib/host/storage/mounts.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Ctx } from './params.ts';

// Shared propagation (mount_namespaces(7)): what is unmounted below one mount of a peer group goes below all of them.

/**
 * The mount that unmounting `mount` would take along although it is to stay: below a peer of its parent, or below a slave of one, at
 * the same place. The kernel takes whatever is mounted there.
 */
export function takenAlong(
  table: readonly Mount[],
  mount: Mount,
  leaving: ReadonlySet<number>,
): Mount | undefined {
  const parent = table.find(({ id }) => id === mount.parent);
  if (parent?.shared === undefined) return undefined;
  const place = within(parent.root, mount.target.slice(parent.target === '/' ? 0 : parent.target.length));
  for (const receiver of receiversOf(table, parent)) {
    if (!isWithin(place, receiver.root)) continue;
    const target = within(receiver.target, place.slice(receiver.root === '/' ? 0 : receiver.root.length));
    const there = table.find(
      (one) => one.parent === receiver.id && one.target === target && !leaving.has(one.id),
    );
    if (there) return there;
  }
  return undefined;
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

/** Takes the mount that holds `mount` out of its peer group, so that unmounting `mount` takes nothing along. */
export async function isolate({ host, log }: Ctx, mount: Mount, kept: Mount): Promise<void> {
  const table = await mounts(host);
  const parent = table.find(({ id }) => id === mount.parent);
  if (parent?.shared === undefined) return;
  const refused = (why: string) =>
    new Failure(
      'failed',
      `Couldn't unmount ${mount.target}: ${kept.source} would go from ${kept.target} with it: ${why}`,
    );
  if (mountOn(table, parent.target)?.id !== parent.id) throw refused(`${parent.target} is covered`);
  log.info(`${kept.source} on ${kept.target} is to stay: making ${parent.target} private first`);
  const argv: Argv = ['mount', '-c', '--make-private', parent.target];
  const output = await host.tryRun(argv, { timeoutMs: host.left() / 4 });
  if (output.code !== 0) throw refused(commandTrouble(argv, output));
}
