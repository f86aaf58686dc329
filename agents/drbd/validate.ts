import { Failure } from '../../lib/contract/outcome.ts';
import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { configurationOf } from '../../lib/host/drbd/configuration.ts';
import { advice, audit, sentenceOf } from './audit.ts';
import { suitableKernel } from './module.ts';
import type { Ctx } from './params.ts';
import { requireTwoPrimaries } from './two-primaries.ts';

/** Whether this host could run it, and what about its configuration will hurt one day; changes nothing, loads nothing. */
export async function validate(ctx: Ctx): Promise<void> {
  const { host, log, params } = ctx;
  const admin = drbdadm(host, params.drbd_resource, params.drbdconf);
  await admin.devices();
  const kernel = await suitableKernel(ctx);
  await requireTwoPrimaries(ctx, admin);
  if (params.check_config === 'off') return;
  const found = await audit(ctx, await configurationOf(admin), kernel);
  if (found.length > 0 && params.check_config === 'fail')
    throw new Failure('misconfigured', found.map(sentenceOf).join('; '));
  for (const finding of found) log.warn(advice(finding));
}
