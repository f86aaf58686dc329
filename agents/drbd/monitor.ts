import { type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { knowsDegraded } from '../../lib/host/cluster.ts';
import { isPrimary, type Resource } from '../../lib/host/drbd/state.ts';
import { attributeOf } from './attribute.ts';
import { degradedStates } from './degraded.ts';
import type { Ctx } from './params.ts';
import { publishAll, publishScore } from './publish.ts';
import { isRunning, look, requireOwnName, type Seen, sentence } from './seen.ts';
import { splitBrains } from './split-brain.ts';
import { factOf, wanted } from './wanted.ts';
import { requireData } from './without-data.ts';

/** The kernel's state decides the answer, the quality of the data only the promotion score. */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const { host, request } = ctx;
  const seen = await look(ctx, host.left() / 2);
  requireOwnName(ctx, seen);
  const health = healthOf(ctx, seen);
  if (request.action === 'status') return health;
  if (seen.is !== 'configured' || !isRunning(seen)) {
    if (!request.probe) await publishAll(ctx, { is: 'absent' }, leftover(seen));
    return health;
  }
  if (request.probe) {
    await publishScore(ctx, seen);
    return health;
  }
  const { resource } = seen;
  const splits = await splitBrains(ctx, resource);
  await publishAll(ctx, seen, attributeOf(resource, splits));
  const degraded = [...degradedStates(resource, splits)];
  await logChange(ctx, resource, degraded);
  await requireData(ctx, resource);
  return degraded.length > 0 && mayReport(ctx)
    ? { health: isPrimary(resource) ? 'degradedPromoted' : 'degraded', reason: degraded.join('; ') }
    : health;
}

/** What a failed stop or an administrator leaves in the kernel is told although it is not running. */
const leftover = (seen: Seen): string =>
  seen.is === 'configured' && seen.resource.devices.length === 0 ? attributeOf(seen.resource) : 'none';

const mayReport = ({ params, request }: Ctx): boolean => params.report_degraded && knowsDegraded(request);

function healthOf(ctx: Ctx, seen: Seen): Health | Report {
  if (seen.is !== 'configured' || !isRunning(seen)) return notRunning(sentence(wanted(ctx), seen));
  return isPrimary(seen.resource) ? 'promoted' : 'ok';
}

/** Once per change, not with every monitor. */
async function logChange(ctx: Ctx, { name }: Resource, all: readonly string[]): Promise<void> {
  const { log, memory } = ctx;
  const factName = factOf(ctx, 'degraded');
  const degraded = all.join('; ');
  if (degraded === ((await memory.fact<string>(factName)) ?? '')) return;
  await memory.hint(factName, degraded);
  if (degraded) log.warn(`${name}: ${degraded}`);
  else log.info(`${name}: connected to every peer, all data UpToDate`);
}
