import { type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { isPrimary } from '../../lib/host/drbd/state.ts';
import { insist } from './insist.ts';
import type { Ctx } from './params.ts';
import { toSecondary } from './secondary.ts';
import { isRunning, look, requireOwnName } from './seen.ts';
import { wanted } from './wanted.ts';

/** Secondary, by the kernel's own word. Without demote_force nothing is forced: an open device may hold data not yet written. */
export async function demote(ctx: Ctx): Promise<Health | Report> {
  const state = await insist(ctx, {
    what: 'demoting',
    reached: (state) =>
      state.is === 'absent-module' ||
      state.is === 'absent' ||
      (state.is === 'configured' && !isPrimary(state.resource)),
    step: (admin, state) => toSecondary(ctx, admin, state),
  });
  if (state.is === 'configured' && isRunning(state)) return 'ok';
  requireOwnName(ctx, await look(ctx, ctx.host.left() / 2));
  return notRunning(`${wanted(ctx).resource} cannot be demoted: it is not started`);
}
