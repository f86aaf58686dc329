import { sameClient } from '../../lib/host/client-spec.ts';
import { flushKernelExports, kernelExports } from '../../lib/host/exports.ts';
import { findExported, spellings } from './exported.ts';
import type { Ctx } from './params.ts';
import { keepClientsWaiting } from './quiet.ts';
import { releaseState } from './release.ts';
import { backUpRmtab } from './rmtab-backup.ts';
import { markStopped, startedThisBoot } from './started.ts';
import { unexport } from './unexport.ts';

const unexportMs = 20_000;
const flushMs = 5000;

/** Removes whatever of this resource is exported, be it a part, be its directory gone. */
export async function stop(ctx: Ctx): Promise<void> {
  const exported = await findExported(ctx);
  const entries = exported.found.flatMap((one) => one.entries);
  await backUpRmtab(ctx, exported);
  await keepClientsWaiting(ctx, exported);
  if (entries.length > 0)
    await unexport(ctx, exported.state, entries, Math.min(unexportMs, ctx.host.left() / 3));
  await emptyKernelCache(
    ctx,
    exported.found.map(({ path }) => path),
  );
  await releaseState(ctx, exported, await startedThisBoot(ctx));
  await markStopped(ctx);
}

/**
 * A request on its way while etab changed may put an old answer back into the kernel's cache, and that keeps the filesystem
 * busy. Only answers for our directory and our client count: the same directory may be exported to others.
 */
async function emptyKernelCache(ctx: Ctx, paths: readonly string[]): Promise<void> {
  const { host, log, params } = ctx;
  const names = [params.clientspec, ...(await spellings(ctx)).map(({ client }) => client)];
  const isEmpty = async () =>
    !(await kernelExports(host)).some(
      ({ path, clients, valid }) =>
        valid &&
        paths.includes(path) &&
        clients.some((client) => names.some((name) => sameClient(name, client))),
    );
  if (await isEmpty()) return;
  const withinMs = Math.min(flushMs, host.left() / 4);
  const emptied = await host.until(async () => {
    await flushKernelExports(host, withinMs);
    return isEmpty();
  }, withinMs);
  if (!emptied) log.warn(`the kernel's export cache still holds ${paths.join(' and ')} after flushing it`);
}
