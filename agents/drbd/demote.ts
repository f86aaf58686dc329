import { isPrimary } from '../../lib/host/drbd/state.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import type { Ctx } from './params.ts';
import { insist, toSecondary } from './release.ts';

/** Secondary, by the kernel's own word. Force is never used: an open device may hold data that is not written yet. */
export async function demote(ctx: Ctx): Promise<void> {
  const state = await insist(ctx, {
    what: 'demoting',
    reached: (state) =>
      state.kind === 'absent-module' ||
      state.kind === 'absent' ||
      (state.kind === 'configured' && !isPrimary(state.resource)),
    step: (admin, state) => toSecondary(ctx, admin, state),
  });
  if (state.kind !== 'configured')
    throw new Failure('failed', `${ctx.params.drbd_resource} cannot be demoted: it is not started`);
}
