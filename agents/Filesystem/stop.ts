import { Failure } from '../../lib/contract/outcome.ts';
import { type Mount, mountsBelow } from '../../lib/host/storage/mounts.ts';
import { coveredReason } from './condition.ts';
import { statusFile } from './deep-monitor.ts';
import { readForce } from './force.ts';
import { moveAside } from './move.ts';
import type { Ctx } from './params.ts';
import { requireReleased } from './release.ts';
import { hasOption } from './source.ts';
import { look, type State } from './state.ts';
import { stopPhases, unmount } from './unmount.ts';

/**
 * Unmounts until the mount table has nothing of ours on the directory, and the kernel nothing of it active. What is not ours
 * stays as it is.
 */
export async function stop(ctx: Ctx): Promise<void> {
  const { params, log } = ctx;
  const { unknown, move } = readForce(params.force_unmount);
  if (unknown.length > 0) log.warn(`force_unmount: unknown word ${unknown.join(', ')} is ignored`);
  const phases = stopPhases(ctx);
  let state = await look(ctx);
  let last: Mount | undefined;
  let tried: number | undefined;
  while (state.is === 'ours' || state.is === 'aside') {
    if (move && state.is === 'ours' && state.mount.id !== tried) {
      tried = state.mount.id;
      await moveAside(ctx, state.mount, state.table);
      state = await look(ctx);
      continue;
    }
    last = state.mount;
    log.info(`unmounting ${last.source} from ${last.target}`);
    await removeStatusFile(ctx, last.target);
    for (const mount of [...inTheWay(ctx, state, last), last]) await unmount(ctx, mount, phases);
    state = await look(ctx);
  }
  if (state.is === 'covered') throw new Failure('failed', coveredReason(state));
  if (state.is === 'foreign')
    log.warn(`${state.mount.source} on ${state.directory} is not ${params.device} and stays mounted`);
  if (!last) log.info(`${params.device} is not mounted on ${state.directory}`);
  await requireReleased(ctx, state, last);
}

/**
 * What must be unmounted before: what is mounted below, and bind mounts of our tree elsewhere, which would keep the device
 * busy. Other subvolumes of the same btrfs are not ours.
 */
function inTheWay({ params }: Pick<Ctx, 'params'>, { table }: State, ours: Mount): readonly Mount[] {
  const below = mountsBelow(table, ours);
  if (!ours.source.startsWith('/dev/') || hasOption(params.options, 'bind', 'rbind')) return below;
  const binds = table.filter(
    (mount) =>
      mount.device === ours.device &&
      mount.id !== ours.id &&
      mount.target !== ours.target &&
      isBelowRoot(mount.root, ours.root) &&
      subvolume(mount) === subvolume(ours),
  );
  const all = [...below, ...binds.flatMap((bind) => [...mountsBelow(table, bind), bind])];
  return all.filter((mount, index) => all.findIndex(({ id }) => id === mount.id) === index);
}

const isBelowRoot = (root: string, above: string): boolean =>
  above === '/' || root === above || root.startsWith(`${above}/`);
const subvolume = ({ superOptions }: Mount): string | undefined =>
  superOptions.find((option) => option.startsWith('subvolid='));

/** Only when the stop operation itself has depth 20, as the stock agent does. */
async function removeStatusFile(ctx: Ctx, directory: string): Promise<void> {
  if (ctx.request.depth < 20) return;
  const path = await statusFile(ctx, directory);
  const output = await ctx.host.tryRun(['rm', '-f', '--', path], { timeoutMs: ctx.host.left() / 4 });
  if (output.code !== 0) ctx.log.warn(`cannot remove the status file ${path}`);
}
