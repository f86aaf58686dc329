import { Failure, type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { scriptStatus } from './by-script.ts';
import { examine } from './health.ts';
import { isOthers } from './instance.ts';
import { findManager } from './manager.ts';
import type { Ctx } from './params.ts';

/** Serving wholly, or not at all; anything between must be stopped before it can be started anywhere. */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const { threads, binding, problems } = await examine(ctx);
  const owner = threads > 0 ? await isOthers(ctx, binding) : undefined;
  if (owner !== undefined) return notRunning(`the NFS server of this node is ${owner}'s`);
  if (problems.length > 0) throw new Failure('failed', problems.join('; '));
  if (threads > 0) {
    if (ctx.request.depth === 0) return 'ok';
    const { unanswered } = await import('./service-check.ts');
    const silent = await unanswered(ctx);
    if (silent.length > 0) throw new Failure('failed', silent.join('; '));
    return 'ok';
  }
  if (binding.is === 'ours')
    throw new Failure(
      'failed',
      `no nfsd threads, but ${ctx.params.nfs_shared_infodir} is still mounted on ${stateRoot}`,
    );
  const manager = await findManager(ctx);
  if (manager?.by === 'script') {
    const status = await scriptStatus(ctx.host, manager.script);
    if (status !== 'stopped') throw new Failure('failed', `no nfsd threads, but ${status.said}`);
  }
  if (ctx.request.probe) {
    const { prepare } = await import('./prepare.ts');
    await prepare(ctx);
  }
  return notRunning('the kernel has no nfsd threads');
}
