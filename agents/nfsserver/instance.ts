import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { nfsdBegun } from '../../lib/host/nfs/nfsd.ts';
import type { Binding } from './infodir.ts';
import type { Ctx } from './params.ts';

// The kernel has one NFS server. Two resources of this type on one node would stop each other's, so whoever started the one that
// runs has it written down, together with the moment its threads began: a note about an earlier server counts for nothing.

const fact = 'server';
const refusedFact = 'refused';

type Server = { readonly threadsSince: number };

export const claim = async ({ host, memory }: Pick<Ctx, 'host' | 'memory'>): Promise<void> =>
  memory.note(fact, { threadsSince: await nfsdBegun(host) });

/** The other resource that started the server which runs now, if there is one. */
async function otherOwner({ host, memory }: Pick<Ctx, 'host' | 'memory'>): Promise<string | undefined> {
  const others = await memory.others();
  if (others.length === 0) return undefined;
  const since = await nfsdBegun(host);
  const owns = ({ facts }: (typeof others)[number]) =>
    since !== undefined && (facts[fact] as Server | undefined)?.threadsSince === since;
  return others.find(owns)?.instance;
}

/** Throws `Failure` when another resource runs the server of this node. */
export async function refuseSecond(ctx: Pick<Ctx, 'host' | 'memory'>): Promise<void> {
  const owner = await otherOwner(ctx);
  await ctx.memory.note(refusedFact, owner);
  if (owner !== undefined)
    throw new Failure(
      'failed',
      `the NFS server of this node is already managed by ${owner}: there can be one resource of this type per node`,
    );
}

/**
 * Whether the server that runs is another resource's and none of our business: its state is not on our directory, or our own
 * start was refused because of it. In doubt it is ours: a resource may have got another name while it ran.
 */
export async function isOthers(
  ctx: { readonly host: Host } & Pick<Ctx, 'memory' | 'params'>,
  { is }: Binding,
): Promise<string | undefined> {
  const owner = await otherOwner(ctx);
  if (owner === undefined) return undefined;
  const isElsewhere = is === 'foreign' && ctx.params.nfs_shared_infodir !== undefined;
  return isElsewhere || (await ctx.memory.fact<string>(refusedFact)) === owner ? owner : undefined;
}
