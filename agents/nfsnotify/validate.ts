import { Failure } from '../../lib/contract/outcome.ts';
import { notFoundOut, serviceHosts, withoutAddress } from '../../lib/host/nfs/nsm-round.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

/** Whether this machine knows the hosts that clients mount from. */
export async function validate(ctx: Ctx): Promise<void> {
  const hosts = await serviceHosts(ctx.host, wanted(ctx).hosts);
  const trouble = notFoundOut(hosts);
  if (trouble) throw new Failure('failed', `source_host: ${trouble}`);
  const unknown = withoutAddress(hosts);
  if (unknown) throw new Failure('misconfigured', `source_host: ${unknown}`);
}
