import { Failure } from '../../lib/contract/outcome.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import { isPrimary } from '../../lib/host/drbd/state.ts';
import { uptime } from '../../lib/host/host.ts';
import { dataQuality } from './data.ts';
import type { Ctx } from './params.ts';

const factName = 'suspended since';

/**
 * fail_promoted_without_data: a Primary that cannot serve its data had better be one elsewhere. Suspended I/O gets one interval:
 * it is suspended on purpose while a peer is being fenced. I/O that ends with errors gets none.
 */
export async function requireData(ctx: Ctx, resource: Resource): Promise<void> {
  const { memory, params, request } = ctx;
  if (!params.fail_promoted_without_data || !isPrimary(resource)) return;
  const { name, suspended, forceIoFailures } = resource;
  const { allWithinReach, quorum } = dataQuality(resource);
  const isSuspended = suspended.length > 0;
  if (!allWithinReach)
    throw new Failure('failedPromoted', `${name} is Primary without UpToDate data within reach`);
  if (!quorum && !isSuspended)
    throw new Failure('failedPromoted', `${name} is Primary without quorum: its I/O ends with errors`);
  if (forceIoFailures)
    throw new Failure('failedPromoted', `${name} is Primary and its I/O is made to fail (force-io-failures)`);
  const since = await memory.fact<number>(factName);
  if (!isSuspended) {
    if (since !== undefined) await memory.note(factName, undefined);
    return;
  }
  const second = await uptime(ctx.host);
  if (since === undefined) await memory.note(factName, second);
  else if (second - since >= request.intervalMs / 1000)
    throw new Failure(
      'failedPromoted',
      `${name} is Primary and its I/O stays suspended (${suspended.join(', ')})`,
    );
}
