import { Failure } from '../../lib/contract/outcome.ts';
import type { Admin } from '../../lib/host/drbd/admin.ts';
import { configurationOf } from '../../lib/host/drbd/configuration.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

/** promoted-max above 1 is only possible when DRBD is told to allow it. */
export async function requireTwoPrimaries(ctx: Ctx, admin: Admin): Promise<void> {
  if (wanted(ctx).promotedMax < 2) return;
  if (!(await configurationOf(admin)).twoPrimaries)
    throw new Failure(
      'misconfigured',
      `promoted-max=2, but ${admin.resource} is configured without allow-two-primaries`,
    );
}
