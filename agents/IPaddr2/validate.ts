import { Failure } from '../../lib/contract/outcome.ts';
import { interfaces } from '../../lib/host/net/addresses.ts';
import { namespaceExists } from '../../lib/host/net/namespaces.ts';
import { chooseSpot } from './choose-spot.ts';
import type { Ctx } from './params.ts';
import { requireSender } from './senders.ts';
import { requireFirewall } from './share.ts';
import { wanted } from './wanted.ts';

/** Level 10: could this host serve the address? */
export async function validate(ctx: Ctx): Promise<void> {
  const want = wanted(ctx);
  if (want === undefined) throw new Failure('misconfigured', `ip=${ctx.params.ip} is not an address`);
  if (!(await namespaceExists(ctx.host, want.namespace)))
    throw new Failure('notInstalled', `network namespace ${want.namespace} does not exist`);
  await requireSender(ctx);
  await requireFirewall(ctx, want);
  await chooseSpot(ctx, want, await interfaces(ctx.host, want.namespace));
}
