import { readEtab, stateDirectory } from '../../lib/host/nfs/exports.ts';
import { isWithin, mountHolding, mounts, tidyPath } from '../../lib/host/storage/mounts.ts';
import { requireInstalled } from './by-systemd.ts';
import { requireAddresses, requireNotifyCommand } from './notify.ts';
import type { Ctx } from './params.ts';
import { requireStarter, survey } from './survey.ts';

/** Whether this machine could run the server. */
export async function validate(ctx: Ctx): Promise<void> {
  const { host, params } = ctx;
  const { manager, daemons } = await survey(host, params);
  if (requireStarter(manager).by === 'systemd') requireInstalled(daemons);
  await requireNotifyCommand(host, params.nfs_notify_cmd);
  await requireAddresses(host, params.nfs_ip);
  await warnExposed(ctx);
}

/**
 * Whoever may write to an export may write to a state directory in it. One beside it stops honest paths only: with no_subtree_check a file
 * handle that a client makes up reaches the whole filesystem (exports(5)).
 */
async function warnExposed({ host, log, params }: Ctx): Promise<void> {
  if (params.nfs_shared_infodir === undefined) return;
  const infodir = tidyPath(params.nfs_shared_infodir);
  const table = await mounts(host);
  const etab = await readEtab(host, await stateDirectory(host, table)).catch(() => []);
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
