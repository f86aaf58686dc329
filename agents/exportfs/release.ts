import { clientsHolding, leaseSeconds } from '../../lib/host/nfs/clients.ts';
import { type Export, readEtab } from '../../lib/host/nfs/exports.ts';
import { answersHere, type Mount, mountHolding } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import { endsWithServer } from './quiet.ts';
import type { Seen } from './seen.ts';
import type { SeenDirectory } from './seen-directory.ts';
import { isSame } from './unexport.ts';

const unlockFile = '/proc/fs/nfsd/unlock_filesystem';
const unlockMs = 10_000;
/** What must be left of the operation after a wait. */
const reserveMs = 2000;
const pollMs = 500;

/**
 * Makes nfsd let go of the filesystems, so that they can be unmounted while nfsd goes on. Of what was started here also when
 * somebody else has taken it out of etab: clients hold their state beyond that.
 */
export async function releaseState(ctx: Ctx, seen: Seen): Promise<void> {
  const { table, started } = seen;
  const goesWithServer = await endsWithServer(ctx.host, table);
  const gone = seen.directories.filter(
    ({ path, entries }) => (started || entries.length > 0) && !goesWithServer(path),
  );
  if (gone.length === 0) return;
  if (ctx.params.unlock_on_stop) {
    // of several that stop at once the last one sees that the others are gone
    const etab = await readEtab(ctx.host, seen.state);
    for (const one of gone) await unlock(ctx, { ...seen, etab }, one);
  }
  if (ctx.params.wait_for_leasetime_on_stop) await waitForLeases(ctx, table, gone);
}

/**
 * The kernel drops every NLM lock on the whole superblock, since 6.9 NFSv4 opens and locks too. Where other exports share it
 * their clients would lose locks without knowing: then the last one to go unlocks.
 */
async function unlock({ host, log }: Ctx, seen: Seen, { path }: SeenDirectory): Promise<void> {
  const mount = mountHolding(seen.table, path);
  const neighbour = neighbourOf(seen, path);
  if (neighbour) {
    log.info(
      `locks on ${path} stay: ${neighbour.path} is on the same filesystem, still exported to ${neighbour.client}`,
    );
    return;
  }
  // the kernel follows links on the way: a client must not choose whose locks go
  const place = mount && !answersHere(path, seen.table) ? mount.target : path;
  // tee, because the kernel looks the path up, and that may hang
  const output = await host.tryRun(['tee', unlockFile], { input: `${place}\n`, timeoutMs: unlockMs });
  if (output.code === 0) log.info(`released the locks on ${path}`);
  else log.warn(`cannot release the locks on ${path}: ${output.hung ?? output.stderr.trim()}`);
}

/** Another export of the same filesystem. */
function neighbourOf({ table, etab, directories }: Seen, path: string): Export | undefined {
  const device = mountHolding(table, path)?.device;
  const ours = directories.flatMap(({ entries }) => entries);
  return etab.find(
    (other) => !ours.some((one) => isSame(one, other)) && mountHolding(table, other.path)?.device === device,
  );
}

/** Whether locks must outlive the export of any of the directories. */
export async function keepsLocks({ host, params }: Ctx, seen: Seen): Promise<boolean> {
  if (!params.unlock_on_stop) return true;
  const goesWithServer = await endsWithServer(host, seen.table);
  return seen.directories.some(({ path }) => goesWithServer(path) || neighbourOf(seen, path) !== undefined);
}

/** Ends early when no NFSv4 client holds anything there; a client that keeps renewing never lets go, hence the limit. */
async function waitForLeases(
  { host, log }: Ctx,
  table: readonly Mount[],
  gone: readonly SeenDirectory[],
): Promise<void> {
  const lease = await leaseSeconds(host);
  if (lease === undefined) {
    log.warn('the NFSv4 lease time is not known: not waiting for it');
    return;
  }
  const devices = [...new Set(gone.map(({ path }) => mountHolding(table, path)?.device))];
  const idle = async () => {
    const holders = await Promise.all(
      devices.map((device) => (device === undefined ? undefined : clientsHolding(host, device))),
    );
    return holders.every((count) => count === 0);
  };
  const wantedMs = (lease + 2) * 1000;
  const possibleMs = Math.max(0, host.left() - reserveMs);
  if (await host.until(idle, Math.min(wantedMs, possibleMs), pollMs)) return;
  if (possibleMs < wantedMs)
    log.warn(
      `waited ${(possibleMs / 1000).toFixed(0)} s of the ${lease} s lease: the stop timeout is too short`,
    );
}
