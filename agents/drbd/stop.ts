import { isPrimary } from '../../lib/host/drbd/state.ts';
import { insist } from './insist.ts';
import { forgetMinors } from './minors.ts';
import { outdateIfPeerIsPromoted } from './outdate.ts';
import type { Ctx } from './params.ts';
import { withdraw } from './publish.ts';
import { toSecondary } from './secondary.ts';
import { named, requireOwnName } from './seen.ts';
import { takeDown } from './take-down.ts';

/** Done only when the kernel was asked and has no such resource: a Primary that is believed stopped ruins the data. */
export async function stop(ctx: Ctx): Promise<void> {
  const state = await insist(ctx, {
    what: 'stopping',
    reached: (state) => state.is === 'absent' || state.is === 'absent-module',
    step: (admin, state) =>
      isPrimary(state.resource) ? toSecondary(ctx, admin, state) : takeDown(ctx, admin, state),
  });
  if (state.is === 'unknown') return; // insist gives up for that
  const seen = await named(ctx, state, ctx.host.left() / 2);
  requireOwnName(ctx, seen);
  await forgetMinors(ctx);
  // drbdadm would outdate the other resource, by the minor
  if (!('taken' in seen)) await outdateIfPeerIsPromoted(ctx, seen);
  await withdraw(ctx);
}
