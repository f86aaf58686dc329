import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import type { Memory } from '../../lib/host/memory.ts';
import { nfsdBegun, oldestThread } from '../../lib/host/nfs/nfsd.ts';
import { isStillThere } from '../../lib/host/process-table.ts';
import type { Binding } from './infodir.ts';

// The kernel has one NFS server. Two resources of this type on one node would stop each other's, so whoever started the one that
// runs has it written down, together with the moment its threads began: a note about an earlier server counts for nothing.

const fact = 'server';
const refusedFact = 'refused';

type Server = {
  readonly threadsSince: number;
  /** The oldest thread. */
  readonly pid?: number;
  /** When it was claimed, in seconds since 1970. */
  readonly at?: number;
};

/** Writes down that the server which runs now is ours. */
export async function claim(host: Host, memory: Memory): Promise<void> {
  const oldest = await oldestThread(host);
  const at = Math.floor(Date.now() / 1000);
  await memory.note(fact, { threadsSince: oldest?.startTime, pid: oldest?.pid, at });
}

/** When this resource claimed the server, if it is not that server any more which runs now: somebody else has restarted it. */
export async function claimedBefore(host: Host, memory: Memory): Promise<number | undefined> {
  const ours = await memory.fact<Server>(fact);
  if (ours?.pid === undefined || ours.at === undefined) return undefined;
  const isStill = await isStillThere(host, { pid: ours.pid, startTime: ours.threadsSince });
  return isStill ? undefined : ours.at;
}

/** The other resource that started the server which runs now, if there is one. */
async function starter(host: Host, memory: Memory): Promise<string | undefined> {
  const others = await memory.others();
  if (others.length === 0) return undefined;
  const since = await nfsdBegun(host);
  const owns = ({ facts }: (typeof others)[number]) =>
    since !== undefined && (facts[fact] as Server | undefined)?.threadsSince === since;
  return others.find(owns)?.instance;
}

/** Throws `Failure` when another resource runs the server of this node. */
export async function requireNoOther(host: Host, memory: Memory): Promise<void> {
  const owner = await starter(host, memory);
  await memory.note(refusedFact, owner);
  if (owner !== undefined)
    throw new Failure(
      'failed',
      `the NFS server of this node is already managed by ${owner}: there can be one resource of this type per node`,
    );
}

/**
 * The other resource whose server runs and is none of our business: our state directory is not below it, or our own start was
 * refused because of it. In doubt it is ours: a resource may have got another name while it ran.
 */
export async function otherOwner(host: Host, memory: Memory, { is }: Binding): Promise<string | undefined> {
  const owner = await starter(host, memory);
  if (owner === undefined || is === 'foreign' || is === 'moved') return owner;
  return (await memory.fact<string>(refusedFact)) === owner ? owner : undefined;
}
