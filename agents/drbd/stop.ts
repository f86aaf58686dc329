import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { isPrimary } from '../../lib/host/drbd/state.ts';
import { outdateIfPeerIsPromoted } from './outdate.ts';
import type { Ctx } from './params.ts';
import { withdraw } from './publish.ts';
import { insist, takeDown, toSecondary } from './release.ts';

/** Done only when the kernel was asked and has no such resource: a Primary that is believed stopped ruins the data. */
export async function stop(ctx: Ctx): Promise<void> {
  const { host, params } = ctx;
  await insist(ctx, {
    what: 'stopping',
    reached: ({ kind }) => kind === 'absent' || kind === 'absent-module',
    step: (admin, state) =>
      isPrimary(state.resource) ? toSecondary(ctx, admin, state) : takeDown(ctx, admin, state),
  });
  await outdateIfPeerIsPromoted(ctx, drbdadm(host, params.drbd_resource, params.drbdconf));
  await withdraw(ctx);
}
