import { Failure, type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { sameClient } from '../../lib/host/nfs/client-spec.ts';
import { kernelExports, stateDirectory } from '../../lib/host/nfs/exports.ts';
import { nfsdThreads } from '../../lib/host/nfs/nfsd.ts';
import { mounts } from '../../lib/host/storage/mounts.ts';
import { findExported, isExported, listed, spellings } from './exported.ts';
import { differences } from './options.ts';
import type { Ctx } from './params.ts';
import { backUpRmtab, needsRmtabBackup } from './rmtab-backup.ts';
import { startedThisBoot } from './started.ts';
import { wantedExports } from './wanted.ts';

/**
 * Exported means: etab lists it, and this node's kernel acts on etab. A list alone proves nothing: it outlives a crash, and
 * travels with a shared state directory.
 */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const { host, log, params, request } = ctx;
  const threads = await nfsdThreads(host);
  if (!request.probe && threads > 0 && (await kernelServesAll(ctx))) return 'ok';

  const exported = await findExported(ctx);
  const present = exported.found.filter(isExported);
  const absent = exported.found.filter((one) => !isExported(one));
  if (present.length === 0) return notRunning(`${listed(absent)} is not exported to ${params.clientspec}`);
  if (threads === 0 && !(await startedThisBoot(ctx))) {
    const reason = `etab lists ${listed(present)}, but no NFS server runs here and nothing was started on this boot`;
    log.info(reason);
    return notRunning(reason);
  }
  if (absent.length > 0)
    throw new Failure(
      'failed',
      `${listed(absent)} is no longer exported to ${params.clientspec}, only ${listed(present)} is`,
    );
  if (threads === 0 && !request.probe)
    throw new Failure('failed', `the NFS server has no threads: nobody serves ${listed(present)}`);

  await noteDrift(ctx, present.flatMap(differences));
  await backUpRmtab(ctx, exported);
  return 'ok';
}

/**
 * The kernel's own word: clients are being served right now. Asked first where etab lies on managed storage, so that a steady
 * monitor needs no child to read it and storage that hangs is reported by those who manage it.
 */
async function kernelServesAll(ctx: Ctx): Promise<boolean> {
  const { host, params } = ctx;
  const table = await mounts(host);
  const state = await stateDirectory(host, table);
  const wanted = wantedExports(params);
  if (!state.managed || wanted.some(({ directory }) => needsRmtabBackup(ctx, table, state, directory)))
    return false;
  const cache = (await kernelExports(host)).filter(({ valid }) => valid);
  const remembered = await spellings(ctx);
  const names = [params.clientspec, ...remembered.map(({ client }) => client)];
  return wanted.every(({ directory }) => {
    const paths = [directory, ...remembered.filter((r) => r.directory === directory).map(({ path }) => path)];
    return cache.some(
      ({ path, clients }) =>
        paths.includes(path) && clients.some((client) => names.some((name) => sameClient(name, client))),
    );
  });
}

/** Options that somebody changed behind the cluster's back: said once, not at every monitor. */
async function noteDrift({ log, memory }: Ctx, drift: readonly string[]): Promise<void> {
  const text = drift.join('; ');
  if (text === ((await memory.fact<string>('drift')) ?? '')) return;
  if (text) log.warn(`exported with other options than configured: ${text}`);
  await memory.note('drift', text || undefined);
}
