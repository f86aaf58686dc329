import { Failure } from '../../lib/contract/outcome.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import { isPrimary } from '../../lib/host/drbd/state.ts';
import { uptime } from '../../lib/host/host.ts';
import { dataQuality } from './data.ts';
import type { Ctx } from './params.ts';
import { factOf } from './wanted.ts';

/**
 * fail_promoted_without_data: a Primary that cannot serve its data had better be one elsewhere. Suspended I/O gets one interval, and
 * while a peer is being fenced the time of the handler: DRBD suspends it on purpose then, on the node that survives. I/O that ends with
 * errors gets none.
 */
export async function requireData(ctx: Ctx, resource: Resource): Promise<void> {
  if (!ctx.params.fail_promoted_without_data) return;
  const { name, suspended } = resource;
  const trouble = isPrimary(resource) ? troubleOf(resource) : undefined;
  const isWaiting = isPrimary(resource) && suspended.length > 0 && trouble === undefined;
  const seconds = await secondsOf(ctx, isWaiting);
  if (trouble) throw new Failure('failedPromoted', `${name} is Primary ${trouble}`);
  if (!isWaiting || seconds === undefined || seconds < ctx.request.intervalMs / 1000) return;
  if (suspended.includes('fencing') && seconds < (await fencingSeconds(ctx))) return;
  throw new Failure(
    'failedPromoted',
    `${name} is Primary and its I/O stays suspended (${suspended.join(', ')})`,
  );
}

function troubleOf(resource: Resource): string | undefined {
  const { allWithinReach, quorum } = dataQuality(resource);
  if (!allWithinReach) return 'without UpToDate data within reach';
  if (!quorum && resource.suspended.length === 0) return 'without quorum: its I/O ends with errors';
  return resource.forceIoFailures ? 'and its I/O is made to fail (force-io-failures)' : undefined;
}

/** For how long this has been seen, `undefined` when it is new. What is over is forgotten: the next time is another one. */
async function secondsOf(ctx: Ctx, isSeen: boolean): Promise<number | undefined> {
  const { host, memory } = ctx;
  const factName = factOf(ctx, 'suspended since');
  const since = await memory.fact<number>(factName);
  const second = isSeen ? await uptime(host) : undefined;
  if (second === undefined || since === undefined) {
    if (since !== second) await memory.note(factName, second);
    return undefined;
  }
  return second - since;
}

/** Nothing of it is loaded by the monitor of a resource whose I/O goes on. */
const fencingSeconds = async (ctx: Ctx): Promise<number> =>
  (await import('./fencing-time.ts')).fencingSeconds(ctx);
