import { isOnlyCreated } from '../../lib/host/drbd/drbd84.ts';
import { type KnownState, knownState } from '../../lib/host/drbd/query.ts';
import { isPrimary, type Resource } from '../../lib/host/drbd/state.ts';
import { type Health, notRunning, type Report } from '../../lib/ocf/outcome.ts';
import type { Ctx } from './params.ts';
import { publishScore } from './publish.ts';
import { remarksOn } from './remarks.ts';

/** The kernel's state decides the answer, the quality of the data only the promotion score. */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const { host, request, params } = ctx;
  const state = await knownState(host, params.drbd_resource, host.left() / 2);
  const health = healthOf(state);
  const runs = health === 'ok' || health === 'promoted';
  if (request.action !== 'status' && !(request.probe && !runs))
    await publishScore(ctx, state, request.probe ? undefined : 'ifDue');
  if (state.kind === 'configured') await remark(ctx, state.resource);
  return health;
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
async function remark({ log, memory }: Ctx, resource: Resource): Promise<void> {
  const remarks = [...remarksOn(resource)].join('; ');
  if (remarks === ((await memory.fact<string>('remarks')) ?? '')) return;
  await memory.note('remarks', remarks);
  if (remarks) log.warn(`${resource.name}: ${remarks}`);
  else log.info(`${resource.name}: connected to every peer, all data UpToDate`);
}
