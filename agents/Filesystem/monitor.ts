import { Failure, type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { requireSound } from './condition.ts';
import type { Ctx } from './params.ts';
import { look, sentence } from './seen.ts';

/** Depth 0 reads the mount table, nothing else. 10 reads from the storage, 20 also writes to it. */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const { request } = ctx;
  let seen = await look(ctx);
  if (seen.is === 'absent' || (seen.is === 'foreign' && request.probe)) {
    await (await import('./at-work.ts')).requireNobodyMounting(ctx, seen, 0);
    seen = await look(ctx); // who was in the kernel before may have ended, and mounted it
  }
  switch (seen.is) {
    case 'absent':
      if (await (await import('./lingers.ts')).lingers(ctx, seen))
        throw new Failure(
          'failed',
          `${sentence(ctx, seen)}, yet its filesystem is still active in this kernel`,
        );
      return notRunning(sentence(ctx, seen));
    case 'foreign':
      if (request.probe) return 'notRunning';
      throw new Failure('failed', sentence(ctx, seen));
    case 'undecided':
    case 'covered':
    case 'aside':
    case 'moved':
      throw new Failure('failed', sentence(ctx, seen));
    case 'ours':
      await requireSound(ctx, seen, seen.mount);
      if (request.depth >= 10) {
        const { readDevice, tryStatusFile } = await import('./deep-monitor.ts');
        await readDevice(ctx, seen.mount);
        if (request.depth >= 20) await tryStatusFile(ctx, seen.wanted.directory, seen.mount);
      }
      return 'ok';
  }
}
