import { mountOn } from '../../lib/host/storage/mounts.ts';
import { atStart } from './at-start.ts';
import { searchDecides } from './last-known.ts';
import { judgeMade, madeElsewhere } from './made-before.ts';
import type { Ctx } from './params.ts';
import type { Seen } from './situation.ts';
import type { Labels, Wanted } from './wanted.ts';

/**
 * What is not seen where the parameters say may be under another path: a directory above it was renamed, the link that the start went
 * through leads elsewhere since, or `directory` was changed while nobody stopped it. A label that no udev link names is searched for on all
 * disks only where that decides.
 */
export async function lookWhereItWas(
  ctx: Ctx,
  seen: Seen,
  labels: Labels,
  look: { readonly again: () => Promise<Seen>; readonly around: (wanted: Wanted) => Promise<Seen> },
): Promise<Seen> {
  const { table, wanted } = seen;
  const moved = await madeElsewhere(ctx, table);
  if (moved?.by) return { table, wanted, is: 'covered', mount: moved.mount, by: moved.by };
  if (moved?.why) return { table, wanted, is: 'undecided', mount: moved.mount, why: moved.why };
  if (moved)
    return { table, wanted, is: 'moved', mount: moved.mount, why: 'a directory above it was renamed' };
  const before = await atStart(ctx);
  if (labels === 'links' && wanted.number === undefined && wanted.source.is === 'disk')
    if (await searchDecides(ctx, wanted, table, before?.directory)) return look.again();
  if (seen.is === 'undecided' || before === undefined || before.directory === wanted.directory) return seen;
  const { directory, asked, isAsked } = before;
  const on = mountOn(table, directory);
  // a tmpfs is told by its type alone
  if (wanted.source.is === 'memory' && !(on && (await judgeMade(ctx, on, table)) === 'ours')) return seen;
  const there = await look.around({ ...wanted, directory });
  if (there.is === 'absent' || there.is === 'foreign') return seen;
  if (there.is !== 'ours' || (isAsked && seen.is === 'absent')) return there;
  const why = isAsked ? `${asked} led there when it was mounted` : `directory was ${asked} then`;
  return { table, wanted, is: 'moved', mount: there.mount, why };
}
