import { Failure } from '../../lib/contract/outcome.ts';
import { flushKernelExports } from '../../lib/host/nfs/export-flush.ts';
import { kernelExports, readEtab } from '../../lib/host/nfs/exports.ts';
import { dropStrays } from './astray.ts';
import type { Ctx } from './params.ts';
import { keepClientsWaiting } from './quiet.ts';
import { keepsLocks, releaseState } from './release.ts';
import { backUpRmtab } from './rmtab-backup.ts';
import { look, type Seen, sentence } from './seen.ts';
import { markStopped } from './started.ts';
import { unexport } from './unexport.ts';
import { wanted } from './wanted.ts';

const unexportMs = 20_000;
const flushMs = 5000;

/** Removes whatever of this resource is exported, be it a part, be its directory gone. */
export async function stop(ctx: Ctx): Promise<void> {
  const want = wanted(ctx);
  const seen = await look(ctx, want);
  const entries = seen.directories.flatMap((one) => one.entries);
  await backUpRmtab(ctx, seen);
  const looked = await dropStrays(ctx, seen);
  const wait = await keepClientsWaiting(ctx, seen, looked);
  if (entries.length > 0)
    await unexport(ctx, seen, entries, {
      looked,
      withinMs: Math.min(unexportMs, ctx.host.left() / 3),
      keepsLocks: await keepsLocks(ctx, seen),
    });
  // another export that was there before has stopped meanwhile
  if (!wait) await keepClientsWaiting(ctx, seen, looked);
  await emptyKernelCache(ctx, seen);
  if (seen.is === 'unknown') throw new Failure('failed', sentence(want, seen));
  await releaseState(ctx, seen);
  await markStopped(ctx);
}

/**
 * A request on its way while etab changed may put an old answer back into the kernel's cache, a client that goes on asking a refusal,
 * and exportfs' own flush may have come to nothing: each keeps the filesystem busy. Only what is there for our client counts, or
 * because nobody may use the directory any more: it may still be exported to others.
 */
async function emptyKernelCache({ host, log }: Ctx, { directories, spelt, state }: Seen): Promise<void> {
  const paths = directories.flatMap(({ path, entries }) => [path, ...entries.map((one) => one.path)]);
  const cached = async () => (await kernelExports(host)).filter(({ path }) => paths.includes(path));
  if ((await cached()).length === 0) return;
  const shared = (await readEtab(host, state)).map(({ path }) => path);
  const isEmpty = async () =>
    !(await cached()).some(({ path, clients }) => !shared.includes(path) || clients.some(spelt.isClient));
  if (await isEmpty()) return;
  const withinMs = Math.min(flushMs, host.left() / 4);
  const end = host.sys.now() + withinMs;
  const emptied = await host.until(async () => {
    await flushKernelExports(host, Math.max(0, end - host.sys.now()));
    return isEmpty();
  }, withinMs);
  if (!emptied) log.warn(`the kernel's export cache still holds ${paths.join(' and ')} after flushing it`);
}
