import { Failure } from '../../lib/contract/outcome.ts';
import { beneath } from '../../lib/host/storage/beneath.ts';
import { coverOf, type Mount, mounts, mountsBelow } from '../../lib/host/storage/mounts.ts';
import { requireNobodyMounting } from './at-work.ts';
import { subvolumeOf } from './btrfs.ts';
import { statusFile } from './deep-monitor.ts';
import { readForce } from './force.ts';
import { moveAside } from './move.ts';
import type { Ctx } from './params.ts';
import { isolate, takenAlong } from './propagation.ts';
import { type Last, lastOf, requireReleased } from './release.ts';
import { look, sentence } from './seen.ts';
import type { Seen } from './situation.ts';
import { type Phase, stopPhases, unmount } from './unmount.ts';

/**
 * Unmounts until the mount table has nothing of ours on the directory, and the kernel nothing of it active. What is not ours
 * stays as it is.
 */
export async function stop(ctx: Ctx): Promise<void> {
  const { params, host, log } = ctx;
  const { unknown, move } = readForce(params.force_unmount);
  if (unknown.length > 0) log.warn(`force_unmount: unknown word ${unknown.join(', ')} is ignored`);
  let seen = await look(ctx);
  let phases = stopPhases(ctx); // a look may take long, where a label has to be searched for
  let last: Last | undefined;
  let tried: number | undefined;
  for (let isQuiet = false; ; isQuiet = true) {
    while (seen.is === 'ours' || seen.is === 'aside' || seen.is === 'moved') {
      if (move && seen.is === 'ours' && seen.mount.id !== tried) {
        tried = seen.mount.id;
        await moveAside(ctx, seen.mount, seen.table);
        seen = await look(ctx);
        continue;
      }
      last = await lastOf(ctx, seen);
      await removeStatusFile(ctx, seen.mount.target);
      await unmountAll(ctx, seen, phases);
      seen = await look(ctx);
    }
    if (seen.is === 'covered' || seen.is === 'undecided') throw new Failure('failed', sentence(ctx, seen));
    if (isQuiet) break;
    await requireNobodyMounting(ctx, seen, (phases.at(-1)?.until ?? 0) - host.sys.now());
    seen = await look(ctx); // who was in the kernel before may have mounted it
    phases = stopPhases(ctx);
  }
  if (seen.is === 'foreign') log.warn(`${sentence(ctx, seen)}: it stays`);
  if (!last) log.info(`${params.device} is not mounted on ${seen.wanted.directory}`);
  await requireReleased(ctx, seen, last);
}

/**
 * One after the other. A mount that is seen below ours through shared propagation, and stays elsewhere, is another resource's: it
 * goes from here alone, and nobody is ended for it.
 */
async function unmountAll(
  ctx: Ctx,
  seen: Seen & { readonly mount: Mount },
  phases: readonly Phase[],
): Promise<void> {
  const { mount: ours, table } = seen;
  const others = inTheWay(seen, ours);
  const leaving = new Set([...others, ours].map(({ id }) => id));
  const gently = phases.map((phase): Phase => ({ ...phase, signals: [], force: false }));
  const say = ({ source, target }: Mount) => ctx.log.info(`unmounting ${source} from ${target}`);
  for (const mount of others) {
    const kept = takenAlong(table, mount, leaving);
    if (kept) await isolate(ctx, mount, kept);
    say(mount);
    await unmount(ctx, mount, kept ? gently : phases);
  }
  // one of them has another path by now, or came late: the caller looks again
  if (inTheWay({ ...seen, table: await mounts(ctx.host) }, ours).length > 0) return;
  say(ours);
  await unmount(ctx, ours, phases);
}

/**
 * What must be unmounted before: what is mounted below, and bind mounts of our tree elsewhere, which would keep the device
 * busy. Other subvolumes of the same btrfs are not ours.
 */
function inTheWay(
  { table, wanted: { source } }: Pick<Seen, 'table' | 'wanted'>,
  ours: Mount,
): readonly Mount[] {
  const below = mountsBelow(table, ours);
  if (!ours.source.startsWith('/dev/') || source.is === 'bind') return below;
  const binds = table.filter(
    (mount) =>
      mount.device === ours.device &&
      mount.id !== ours.id &&
      mount.target !== ours.target &&
      isBelowRoot(mount.root, ours.root) &&
      subvolumeOf(mount).id === subvolumeOf(ours).id,
  );
  for (const bind of binds) {
    const by = coverOf(table, bind);
    if (by)
      throw new Failure(
        'failed',
        `${ours.source} is mounted on ${bind.target} as well, where ${by.source} was mounted over ${by.target}: unmount that by hand`,
      );
  }
  const all = [...below, ...binds.flatMap((bind) => [...mountsBelow(table, bind), bind])];
  return all.filter((mount, index) => all.findIndex(({ id }) => id === mount.id) === index);
}

const isBelowRoot = (root: string, above: string): boolean =>
  above === '/' || root === above || root.startsWith(`${above}/`);

/** Only when the stop operation itself has depth 20, as the stock agent does. */
async function removeStatusFile(ctx: Ctx, directory: string): Promise<void> {
  if (ctx.request.depth < 20 || ctx.params.statusfile_prefix.split('/').includes('..')) return;
  const path = await statusFile(ctx);
  await beneath(ctx.host, directory, 'removeFile', { path }, { timeoutMs: ctx.host.left() / 4 }).catch(
    ({ message }: Error) => ctx.log.warn(`cannot remove the status file ${directory}/${path}: ${message}`),
  );
}
