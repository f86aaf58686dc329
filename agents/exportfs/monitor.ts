import { Failure, type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { kernelExports, stateDirectory } from '../../lib/host/nfs/exports.ts';
import { nfsdThreads } from '../../lib/host/nfs/nfsd.ts';
import { mounts } from '../../lib/host/storage/mounts.ts';
import { noteDrift } from './drift.ts';
import type { Ctx } from './params.ts';
import { backUpRmtab, needsRmtabBackup } from './rmtab-backup.ts';
import { look, sentence } from './seen.ts';
import { spellings } from './spellings.ts';
import { type Wanted, wanted } from './wanted.ts';

/** Exported means: etab lists it, and this node's kernel acts on etab. */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const { log, request } = ctx;
  const want = wanted(ctx);
  if (!request.probe && (await kernelServesAll(ctx, want))) return 'ok';

  const seen = await look(ctx, want);
  const words = sentence(want, seen);
  switch (seen.is) {
    case 'not exported':
      return notRunning(words);
    case 'left over':
      log.info(words);
      return notRunning(words);
    case 'partly exported':
    case 'unknown':
      throw new Failure('failed', words);
    case 'not served':
      if (!request.probe) throw new Failure('failed', words);
      break;
    case 'exported':
      break;
  }
  for (const { path, entries, isAstray } of seen.directories)
    if (isAstray)
      throw new Failure('failed', `${entries[0]?.path} is exported in place of ${path}: a link led there`);
  await noteDrift(ctx, seen);
  await backUpRmtab(ctx, seen);
  return 'ok';
}

/**
 * The kernel's own word: clients are being served right now. Asked first where etab lies on managed storage, so that a steady
 * monitor needs no child to read it and storage that hangs is reported by those who manage it.
 */
async function kernelServesAll(ctx: Ctx, want: Wanted): Promise<boolean> {
  const { host } = ctx;
  if ((await nfsdThreads(host)) === 0) return false;
  const table = await mounts(host);
  const state = await stateDirectory(host, table);
  const { directories } = want;
  if (!state.managed || directories.some(({ directory }) => needsRmtabBackup(ctx, table, state, directory)))
    return false;
  const cache = (await kernelExports(host)).filter(({ valid }) => valid);
  const { isClient, pathsOf } = await spellings(ctx, want);
  return directories.every(({ directory }) => {
    const paths = pathsOf(directory);
    return cache.some(({ path, clients }) => paths.includes(path) && clients.some(isClient));
  });
}
