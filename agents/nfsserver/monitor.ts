import { stateRoot } from '../../lib/host/nfs-state.ts';
import { Failure, type Health, notRunning, type Report } from '../../lib/ocf/outcome.ts';
import { examine } from './health.ts';
import type { Ctx } from './params.ts';

/** Serving wholly, or not at all; anything between must be stopped before it can be started anywhere. */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const { threads, binding, problems } = await examine(ctx);
  if (problems.length > 0) throw new Failure('failed', problems.join('; '));
  if (threads > 0) return 'ok';
  if (binding.is === 'ours')
    throw new Failure(
      'failed',
      `no nfsd threads, but ${ctx.params.nfs_shared_infodir} is still mounted on ${stateRoot}`,
    );
  return notRunning('the kernel has no nfsd threads');
}
