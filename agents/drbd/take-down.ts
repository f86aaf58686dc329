import type { Admin } from '../../lib/host/drbd/admin.ts';
import { deviceHolders } from '../../lib/host/drbd/holders.ts';
import type { Configured } from '../../lib/host/drbd/state.ts';
import type { Output } from '../../lib/host/sys/sys.ts';
import type { Held } from './insist.ts';
import type { Ctx } from './params.ts';
import { isLastStretch, withoutDrbdadm } from './secondary.ts';
import { untilReserve } from './time.ts';

/** What looking for holders may take of each try. */
const lookMs = 2000;
/** What cannot be looked at keeps nothing from being stopped. */
const noEvidence = { phrases: [], isCertain: false };

/**
 * Takes the resource out of the kernel; where drbdadm itself does not work, by the kernel's own name. DRBD 9 lets a Secondary be
 * opened read-only, and `down` cuts the connections before it finds that a device is open: so nothing is taken down while one
 * certainly is, until only the last stretch of time is left: whatever the evidence, the kernel is asked before a stop fails.
 */
export async function takeDown(ctx: Ctx, admin: Admin, state: Configured): Promise<Output | Held> {
  const { host } = ctx;
  const { resource, kernel } = state;
  if (kernel[0] >= 9 && !isLastStretch(ctx)) {
    const look = deviceHolders(host, state, Math.min(lookMs, host.left() / 4));
    const { phrases, isCertain } = await look.catch(() => noEvidence);
    if (isCertain) return { held: phrases };
  }
  return withoutDrbdadm(ctx, admin, 'down', [['drbdsetup', 'down', resource.name]], () => untilReserve(host));
}
