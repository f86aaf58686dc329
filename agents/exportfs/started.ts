import { isThere } from '../../lib/host/local-files.ts';
import { rscTmp } from '../../lib/host/memory.ts';
import type { Ctx } from './params.ts';

/**
 * The stock agent's mark (4.13 and later) of a resource started on this boot. We keep it too, so that either agent takes over
 * the other's exports. It decides only where the kernel cannot: etab outlives a crash, and with a shared state directory it
 * comes over from the other node.
 */
const mark = ({ host, request }: Ctx): string => `${rscTmp(host.sys.env)}/${request.instance}`;

export const startedThisBoot = (ctx: Ctx): Promise<boolean> => isThere(ctx.host, mark(ctx));

export async function markStarted(ctx: Ctx): Promise<void> {
  try {
    await ctx.host.sys.makeDir(mark(ctx).replace(/\/[^/]*$/, ''));
    await ctx.host.sys.write(mark(ctx), '');
  } catch (error) {
    ctx.log.warn(`cannot write ${mark(ctx)}: ${error instanceof Error ? error.message : error}`);
  }
}

export const markStopped = (ctx: Ctx): Promise<void> => ctx.host.sys.remove(mark(ctx)).catch(() => {});
