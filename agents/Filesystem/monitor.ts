import { Failure, type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { asideReason, coveredReason, lingers, requireSound } from './condition.ts';
import { readBack, readDevice, writeStatusFile } from './deep-monitor.ts';
import type { Ctx } from './params.ts';
import { look } from './state.ts';

/** Depth 0 reads the mount table, nothing else. 10 reads from the storage, 20 also writes to it. */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const { params, request } = ctx;
  const state = await look(ctx, request.probe ? 'search' : 'links');
  switch (state.is) {
    case 'absent':
      if (await lingers(ctx, state))
        throw new Failure(
          'failed',
          `${params.device} is not mounted on ${state.directory}, yet its filesystem is still active in this kernel`,
        );
      return notRunning(`${params.device} is not mounted on ${state.directory}`);
    case 'foreign':
      if (request.probe) return 'notRunning';
      throw new Failure(
        'failed',
        `another device (${state.mount.source}) is mounted on ${state.directory}, not ${params.device}`,
      );
    case 'covered':
      throw new Failure('failed', coveredReason(state));
    case 'aside':
      throw new Failure('failed', asideReason(state));
    case 'ours':
      await requireSound(ctx, state, state.mount);
      if (request.depth >= 10) await readDevice(ctx, state.mount);
      if (request.depth >= 20) await readBack(ctx, await writeStatusFile(ctx, state.directory, state.mount));
      return 'ok';
  }
}
