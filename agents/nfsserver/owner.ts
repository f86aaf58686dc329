import { Failure } from '../../lib/contract/outcome.ts';
import { readParams } from '../../lib/contract/params.ts';
import { isByHand } from '../../lib/contract/request.ts';
import { resourceNames } from '../../lib/host/cluster.ts';
import type { Host } from '../../lib/host/host.ts';
import type { Memory, Remembered } from '../../lib/host/memory.ts';
import { nameAmongOthers } from '../../lib/host/memory-of-others.ts';
import { isMarked } from '../../lib/host/nfs/nfsd-threads.ts';
import type { Binding } from './infodir.ts';
import { ownClaim, type Server, serverFact } from './instance.ts';
import { type Ctx, params as table } from './params.ts';

// Whose the server is that runs on this node, where another resource of this type has been started on it as well.

const refusedFact = 'refused';

/** The other resource that started the server which runs now, if there is one, and it is not ours by now. */
async function starter(
  host: Host,
  memory: Memory,
  others: readonly Remembered[],
): Promise<Remembered | undefined> {
  const ours = await ownClaim(memory);
  if (ours !== undefined && (await isMarked(host, ours))) return undefined;
  for (const other of others) {
    const server = claimOf(other);
    if (server !== undefined && (await isMarked(host, server))) return other;
  }
  return undefined;
}

const claimOf = ({ facts }: Remembered): Server | undefined => facts[serverFact] as Server | undefined;

/** Throws `Failure` when another resource runs the server of this node. */
export async function requireNoOther(host: Host, memory: Memory): Promise<void> {
  const owner = await starter(host, memory, await memory.others());
  await memory.note(refusedFact, owner?.instance);
  if (owner !== undefined)
    throw new Failure(
      'failed',
      `the NFS server of this node is already managed by ${owner.instance}: there can be one resource of this type per node`,
    );
}

/**
 * The other resource whose server runs and is none of our business: our state directory is not below it, our own start was
 * refused because of it, or the cluster has a resource of that name. A resource may have got another name while it ran: where the cluster
 * does not tell, the server is of whoever has the parameters that it was started with.
 */
export async function ownerBeside(
  ctx: Ctx,
  { is }: Binding,
  others: readonly Remembered[],
): Promise<string | undefined> {
  const { host, memory, request } = ctx;
  const owner = await starter(host, memory, others);
  if (owner === undefined || is === 'foreign' || is === 'moved') return owner?.instance;
  if ((await memory.fact<string>(refusedFact)) === owner.instance) return owner.instance;
  const isAnother = await isOfCluster(host, owner);
  if (isAnother ?? !hasParamsOf(owner, ctx.params)) return owner.instance;
  // the next monitor need not ask
  if (isAnother === false && request.intervalMs > 0) await memory.hint(serverFact, claimOf(owner));
  return undefined;
}

/** Whether the cluster has a resource of this name still; `undefined` where it does not tell, and for a person's call. */
async function isOfCluster(host: Host, { instance }: Remembered): Promise<boolean | undefined> {
  if (isByHand(host.sys.env)) return undefined;
  const owner = instance.replace(/:\d+$/, '');
  return (await resourceNames(host))?.some((name) => nameAmongOthers(name) === owner);
}

/** Whether a resource was started with these parameters. */
function hasParamsOf({ params = {} }: Remembered, now: Ctx['params']): boolean {
  const before = readParams(table, params).params;
  return (Object.keys(table) as (keyof typeof table)[]).every((name) => before[name] === now[name]);
}
