import { Failure } from '../../lib/contract/outcome.ts';
import { type Export, readEtab, stateDirectory } from '../../lib/host/nfs/exports.ts';
import { isWithin, type Mount, mountHolding, mounts, tidyPath } from '../../lib/host/storage/mounts.ts';
import { requireInstalled } from './by-systemd.ts';
import { warnKeptElsewhere } from './elsewhere.ts';
import { warnLongGrace, warnOwnMounts } from './grace-check.ts';
import { requireAddresses, requireNotifyCommand } from './notify.ts';
import type { Ctx } from './params.ts';
import { requireStarter, survey } from './survey.ts';

/** Whether this machine could run the server. */
export async function validate(ctx: Ctx): Promise<void> {
  const { host, params } = ctx;
  const facts = await survey(host, params);
  const { manager, daemons } = facts;
  if (requireStarter(manager).by === 'systemd') requireInstalled(daemons);
  await requireNotifyCommand(host, params.nfs_notify_cmd);
  await requireAddresses(host, params.nfs_ip);
  await warnExposed(ctx);
  if (ctx.request.depth < 10) return;
  await warnLongGrace(ctx, facts);
  await warnOwnMounts(ctx, facts);
  await warnKeptElsewhere(ctx, facts);
}

/**
 * Whoever may write to an export may write to a state directory in it. One beside it stops honest paths only: with no_subtree_check a file
 * handle that a client makes up reaches the whole filesystem (exports(5)).
 */
async function warnExposed(ctx: Ctx): Promise<void> {
  const { host, log, params } = ctx;
  if (params.nfs_shared_infodir === undefined) return;
  const infodir = tidyPath(params.nfs_shared_infodir);
  const table = await mounts(host);
  const etab = await exportsHere(ctx, table);
  const filesystem = (path: string) => mountHolding(table, path)?.device;
  const within = etab.find(({ path }) => isWithin(infodir, path));
  const beside = etab.find(({ path }) => filesystem(path) === filesystem(infodir));
  if (within)
    log.warn(
      `nfs_shared_infodir ${infodir} lies in the export ${within.path}: clients can change what the server knows of their locks, and deny service to each other; give it a filesystem of its own`,
    );
  else if (beside)
    log.warn(
      `nfs_shared_infodir ${infodir} is on the filesystem of the export ${beside.path}: a client with a made-up file handle reaches it; give it a filesystem of its own`,
    );
}

/** None where they cannot be read, which is said: the parameters are no worse for it. */
async function exportsHere({ host, log }: Ctx, table: readonly Mount[]): Promise<readonly Export[]> {
  try {
    return await readEtab(host, await stateDirectory(host, table));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.warn(`whether clients reach nfs_shared_infodir was not looked at: ${error.message}`);
    return [];
  }
}
