import { type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { knowsDegraded } from '../../lib/host/cluster.ts';
import { isOnlyCreated } from '../../lib/host/drbd/drbd84.ts';
import { type KnownState, knownState } from '../../lib/host/drbd/query.ts';
import { isPrimary, type Resource } from '../../lib/host/drbd/state.ts';
import { conditionOf } from './condition.ts';
import type { Ctx } from './params.ts';
import { publishAll, publishScore } from './publish.ts';
import { remarksOn } from './remarks.ts';
import { splitBrainSeen } from './split.ts';
import { failWithoutData } from './without-data.ts';

/** The kernel's state decides the answer, the quality of the data only the promotion score. */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const { host, request, params } = ctx;
  const state = await knownState(host, params.drbd_resource, host.left() / 2);
  const health = healthOf(state);
  if (request.action === 'status') return health;
  if (state.kind !== 'configured' || !isRunning(state)) {
    if (!request.probe) await publishAll(ctx, state, 'none');
    return health;
  }
  if (request.probe) {
    await publishScore(ctx, state);
    return health;
  }
  const split = await splitBrainSeen(ctx, state.resource);
  await publishAll(ctx, state, conditionOf(state.resource, split));
  const remarks = [...remarksOn(state.resource, split)];
  await logChange(ctx, state.resource, remarks);
  await failWithoutData(ctx, state.resource);
  const [reason] = remarks;
  if (!reason || !params.report_degraded || !knowsDegraded(request)) return health;
  return { health: isPrimary(state.resource) ? 'degradedPromoted' : 'degraded', reason: remarks.join('; ') };
}

function healthOf(state: KnownState): Health | Report {
  switch (state.kind) {
    case 'absent-module':
      return notRunning('the DRBD kernel module is not loaded');
    case 'absent':
      return notRunning('the kernel has no DRBD resource of this name');
    case 'configured':
      if (isPrimary(state.resource)) return 'promoted';
      return isRunning(state) ? 'ok' : notRunning('created, but neither attached nor connected');
  }
}

/** DRBD 9 runs as soon as the resource exists; 8.4 calls it unconfigured until it has a disk or a connection. */
export const isRunning = (state: KnownState): boolean =>
  state.kind === 'configured' && !(state.kernel[0] < 9 && isOnlyCreated(state.resource));

/** Once per change, not with every monitor. */
async function logChange({ log, memory }: Ctx, { name }: Resource, all: readonly string[]): Promise<void> {
  const remarks = all.join('; ');
  if (remarks === ((await memory.fact<string>('remarks')) ?? '')) return;
  await memory.note('remarks', remarks);
  if (remarks) log.warn(`${name}: ${remarks}`);
  else log.info(`${name}: connected to every peer, all data UpToDate`);
}
