import type { Memory } from '../../lib/host/memory.ts';
import { statdHome } from '../../lib/host/nfs/state-directory.ts';
import { claimedBefore } from './instance.ts';
import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';

// The records of NFSv3 clients while the server runs. That somebody else ends it is what they must outlive (callout.ts).

const fact = 'monitor copies records';
const patienceMs = 3000;

/** Where rpc.statd cannot be made to keep them, a monitor copies them: what comes and goes between two of them is lost. */
export const leaveToMonitor = (memory: Memory, isWanted: boolean): Promise<void> =>
  memory.note(fact, isWanted || undefined);

/** A monitor's part of it. Never fails. */
export async function copyIfWanted(ctx: Ctx): Promise<void> {
  const { host, log, memory } = ctx;
  if (!(await memory.fact<boolean>(fact))) return;
  const { copyRecords } = await import('../../lib/host/nfs/nsm-records.ts');
  const { dir } = await statdHome(host);
  await copyRecords(host, dir, patienceMs).catch(({ message }: Error) =>
    log.warn(`NFSv3 clients are not copied: ${message}`),
  );
}

/**
 * What is wrong when somebody else has restarted the server: lockd has forgotten every NFSv3 lock, and nobody tells the clients, who
 * would claim them again. With none on record nothing is lost, and the server is ours from now on.
 */
export async function untoldClients(ctx: Ctx, facts: Survey): Promise<readonly string[]> {
  const { host, memory } = ctx;
  const since = await claimedBefore(host, memory);
  if (since === undefined) return [];
  const { isRetiredSince } = await import('../../lib/host/nfs/nsm-records.ts');
  if (facts.v3 && (await isRetiredSince(host, (await statdHome(host)).dir, since)))
    return ['somebody else has restarted the NFS server, and its NFSv3 clients know nothing of it'];
  const { makeOurs } = await import('./ours.ts');
  const { knownTracking } = await import('./tracking.ts');
  await makeOurs(ctx, facts, await knownTracking(ctx));
  return [];
}
