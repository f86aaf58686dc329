import { type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { isPrimary } from '../../lib/host/drbd/state.ts';
import type { Ctx } from './params.ts';
import { insist, toSecondary } from './release.ts';

/** Secondary, by the kernel's own word. Without demote_force nothing is forced: an open device may hold data not yet written. */
export async function demote(ctx: Ctx): Promise<Health | Report> {
  const state = await insist(ctx, {
    what: 'demoting',
    reached: (state) =>
      state.kind === 'absent-module' ||
      state.kind === 'absent' ||
      (state.kind === 'configured' && !isPrimary(state.resource)),
    step: (admin, state) => toSecondary(ctx, admin, state),
  });
  if (state.kind !== 'configured')
    return notRunning(`${ctx.params.drbd_resource} cannot be demoted: it is not started`);
  return 'ok';
}
