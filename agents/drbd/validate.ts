import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { suitableKernel } from './module.ts';
import type { Ctx } from './params.ts';
import { requireTwoPrimaries } from './two-primaries.ts';

/** Whether this host could run it; changes nothing, loads nothing. */
export async function validate(ctx: Ctx): Promise<void> {
  const admin = drbdadm(ctx.host, ctx.params.drbd_resource, ctx.params.drbdconf);
  await admin.devices();
  await suitableKernel(ctx);
  await requireTwoPrimaries(ctx, admin);
}
