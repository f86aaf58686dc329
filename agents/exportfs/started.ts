import { Failure } from '../../lib/contract/outcome.ts';
import { kindIfThere } from '../../lib/host/local-files.ts';
import { rscTmp, stateDir } from '../../lib/host/memory.ts';
import { fileNameOf, isFileName } from '../../lib/host/sys/file-names.ts';
import type { Ctx } from './params.ts';

/**
 * The stock agent's mark (4.13 and later) of a resource started on this boot. We keep it too, so that either agent takes over
 * the other's exports. It decides only where the kernel cannot: etab outlives a crash, and with a shared state directory it
 * comes over from the other node.
 */
const mark = ({ host: { sys }, request: { instance } }: Ctx): string => {
  const beside = `${rscTmp(sys.env)}/${instance}`;
  // what is no name of a file, or that of our own directory, is nothing that the stock agent could have marked
  return isFileName(instance) && beside !== stateDir(sys.env)
    ? beside
    : `${stateDir(sys.env)}/started-${fileNameOf(instance)}`;
};

/** A directory of this name is another agent's. */
export const startedThisBoot = async (ctx: Ctx): Promise<boolean> =>
  (await kindIfThere(ctx.host, mark(ctx))) === 'file';

/** Throws `Failure`: without it the next monitor takes the export for a leftover. */
export async function markStarted(ctx: Ctx): Promise<void> {
  try {
    await ctx.host.sys.makeDir(mark(ctx).replace(/\/[^/]*$/, ''));
    await ctx.host.sys.write(mark(ctx), '');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure('failed', `cannot write ${mark(ctx)}: ${code ?? message}`, { cause: error });
  }
}

export const markStopped = (ctx: Ctx): Promise<void> => ctx.host.sys.remove(mark(ctx)).catch(() => {});
