import { Failure } from '../../lib/contract/outcome.ts';
import { commandTrouble } from '../../lib/host/host.ts';
import { type Mount, mountOn, mounts } from '../../lib/host/storage/mounts.ts';
import { takenAlongWith } from '../../lib/host/storage/propagation.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Ctx } from './params.ts';

/**
 * The mount that unmounting `mount` would take along although it is to stay: the kernel takes whatever is mounted at its place below a
 * peer of its parent, or below a slave of one.
 */
export const takenAlong = (
  table: readonly Mount[],
  mount: Mount,
  leaving: ReadonlySet<number>,
): Mount | undefined => takenAlongWith(table, mount).find(({ id }) => !leaving.has(id));

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
