import type { Host } from '../../lib/host/host.ts';
import type { Memory } from '../../lib/host/memory.ts';
import { isThreadThere, type ServerMark } from '../../lib/host/nfs/server-mark.ts';

// The kernel has one NFS server. Two resources of this type on one node would stop each other's, so whoever started the one that
// runs has it written down, together with what it is known by: a note about an earlier server counts for nothing.

export const serverFact = 'server';

export type Server = ServerMark & {
  /** When it was claimed, in seconds since 1970. */
  readonly at?: number;
};

/** A steady monitor needs none of it. */
const threads = () => import('../../lib/host/nfs/nfsd-threads.ts');

export const ownClaim = (memory: Memory): Promise<Server | undefined> => memory.fact<Server>(serverFact);

/** Writes down that the server which runs now is ours. */
export async function claim(host: Host, memory: Memory): Promise<void> {
  const { markServer } = await threads();
  const at = Math.floor(Date.now() / 1000);
  await memory.note(serverFact, { ...(await markServer(host)), at });
}

/** Whether a thread runs that this resource's server was known by. */
export async function hasClaimedThread(host: Host, memory: Memory): Promise<boolean> {
  const ours = await ownClaim(memory);
  return ours !== undefined && isThreadThere(host, ours);
}

/** When this resource claimed the server, if it is not that server any more which runs now: somebody else has restarted it. */
export async function claimedBefore(host: Host, memory: Memory): Promise<number | undefined> {
  const ours = await ownClaim(memory);
  if (ours?.at === undefined || (ours.pid === undefined && !ours.sockets?.length)) return undefined;
  const { isMarked, markServer } = await threads();
  if (!(await isMarked(host, ours))) return ours.at;
  const now = ours.pid === undefined ? undefined : await markServer(host);
  if (now)
    await memory.hint(serverFact, {
      ...now,
      begun: now.threadsSince,
      threadsSince: ours.threadsSince,
      at: ours.at,
    });
  return undefined;
}
