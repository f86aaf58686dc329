import type { Call } from '../command.ts';
import { CommandError } from '../exit.ts';
import type { Cluster } from '../facts/cluster.ts';
import type { DrbdResource, Split as Parted, Peer } from '../facts/drbd.ts';
import { isSameHost } from '../facts/drbd-hosts.ts';
import type { Facts } from '../facts/gather.ts';
import { type Known, tryToKnow, unknown } from '../facts/known.ts';
import { askSide } from '../facts/other-node.ts';
import { peerLabel, peerName } from '../facts/peers.ts';
import { clusterRole, replicated } from '../facts/service.ts';
import { lookAtSide, outOfSync, type PeerFacts, type SideFacts } from '../facts/side.ts';
import { harmless } from '../output/terminal.ts';

// Both sides of a split brain, as far as this node and the other one know of it.

/** One side of a split brain. */
export type Side = {
  /** As it is shown. */
  readonly node: string;
  /** Whom to ask; null where nobody knows whose side it is. */
  readonly host: string | null;
  readonly isHere: boolean;
  /** Primary or Secondary, by the kernel here, by the cluster there; null when nobody could tell. */
  readonly role: string | null;
  readonly changedKiB: number | null;
  readonly generation: string | null;
  /** What the node tells of itself, if it was asked. */
  readonly own: Known<SideFacts> | null;
};

export type Split = {
  readonly resource: string;
  /** DRBD 9 has a connection for each peer, and only this one is to be touched. */
  readonly isOneOfSeveral: boolean;
  readonly sides: readonly [Side, Side];
  readonly foundAt: number | null;
};

/** The log has what it was when the two met; a side that is at work goes on changing. */
const mostOf = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.max(one, other);

export const ownOf = ({ own }: Side): SideFacts | null => (own?.is === 'known' ? own.value : null);

/** A connection that is not there, and of which no split brain is known here. */
export type Unmet = {
  /** As drbdadm takes it on this node. */
  readonly connection: string;
  readonly peer: string;
  /** Be it by hand, or by a split brain that no log tells of any more. */
  readonly standsAlone: boolean;
  /** The other node knows of none either, and what its connection is; or why it did not tell. */
  readonly there: Known<string>;
};

/**
 * What either node knows of: DRBD 9 may leave one side of a split brain Connecting; with 8.4 the side that the other one hung up on first
 * knows of none.
 */
export async function splitsOnBoth(
  call: Call,
  facts: Facts,
  wanted: string | null,
): Promise<{ readonly splits: readonly Split[]; readonly unmet: readonly Unmet[] }> {
  const known = splitsIn(facts, wanted).map((split) => withOwn(call, split));
  const looked = unmetIn(facts, wanted).map((unmet) => askOther(call, facts, unmet));
  const told = await Promise.all(looked);
  return {
    splits: [...(await Promise.all(known)), ...told.flatMap((one) => ('sides' in one ? [one] : []))],
    unmet: told.flatMap((one) => ('sides' in one ? [] : [one])),
  };
}

type Ends = { readonly resource: DrbdResource; readonly peer: Peer };

/** `wanted`: a resource, or one connection of it as `resource:peer`; all of them when null. */
function connectionsIn(facts: Facts, wanted: string | null): readonly Ends[] {
  const [resource, node] = wanted?.split(':') ?? [];
  return (facts.drbd.is === 'known' ? facts.drbd.value.resources : [])
    .filter(({ name }) => resource === undefined || name === resource)
    .flatMap((one) => one.peers.map((peer) => ({ resource: one, peer })))
    .filter((ends) => node === undefined || isSameHost(peerLabel(facts, ends.resource, ends.peer), node));
}

/** Connections that are not there, and whose end this node cannot explain by a split brain. */
export const unmetIn = (facts: Facts, wanted: string | null): readonly Ends[] =>
  connectionsIn(facts, wanted).filter(({ peer }) => peer.connection !== 'Connected' && !peer.splitBrain);

/** The connection towards this node, as the other one tells of it. */
const towards = (peers: readonly PeerFacts[] | null, node: string): PeerFacts | undefined =>
  peers?.length === 1 ? peers[0] : peers?.find(({ name }) => name === null || isSameHost(name, node));

async function askOther(call: Call, facts: Facts, { resource, peer }: Ends): Promise<Split | Unmet> {
  const own = await askHost(call, peerName(facts, resource, peer), resource.name);
  const seen = own.is === 'known' ? towards(own.value.peers, facts.node) : undefined;
  if (seen?.splitBrain)
    return withOwn(call, splitOf(facts, { resource, peer }, seenFromHere(seen.splitBrain)), own);
  const silent = 'its tsha does not tell of this connection: another version, or another name of this node?';
  return {
    connection: peer.name === null ? resource.name : `${resource.name}:${peer.name}`,
    peer: peerLabel(facts, resource, peer),
    standsAlone: peer.connection === 'StandAlone',
    there: own.is === 'unknown' ? own : seen ? { is: 'known', value: seen.connection } : unknown(silent),
  };
}

export const nameless = 'which node that is, neither DRBD nor the cluster tells';

const askHost = async ({ host }: Call, other: string | null, resource: string): Promise<Known<SideFacts>> =>
  other === null ? unknown(nameless) : askSide(host, other, [resource]);

const seenFromHere = ({ hereKiB, thereKiB, generationHere, generationThere, foundAt }: Parted): Parted => ({
  ...{ hereKiB: thereKiB, thereKiB: hereKiB },
  ...{ generationHere: generationThere, generationThere: generationHere, foundAt },
});

/** With what each node tells of itself: this one by its kernel, the other one over ssh, if it lets us in. */
async function withOwn(call: Call, split: Split, other?: Known<SideFacts>): Promise<Split> {
  const ask = async (side: Side): Promise<Side> => {
    const own = side.isHere
      ? await tryToKnow(() => lookAtSide(call.host, split.resource))
      : (other ?? (await askHost(call, side.host, split.resource)));
    if (own.is === 'unknown') return { ...side, own };
    const facing = split.sides.find(({ node }) => node !== side.node)?.node ?? '';
    const byNow = towards(own.value.peers, facing)?.outOfSyncKiB ?? null;
    return { ...side, role: own.value.role, changedKiB: mostOf(side.changedKiB, byNow), own };
  };
  const [one, two] = await Promise.all(split.sides.map(ask));
  return one && two ? { ...split, sides: [one, two] } : split;
}

export function splitsIn(facts: Facts, wanted: string | null): readonly Split[] {
  const ends = connectionsIn(facts, wanted);
  if (facts.drbd.is === 'known' && wanted !== null && ends.length === 0)
    throw new CommandError('unknown', `DRBD has no resource ${harmless(wanted)} on this node`);
  return ends.flatMap((one) => (one.peer.splitBrain ? [splitOf(facts, one, one.peer.splitBrain)] : []));
}

function splitOf(facts: Facts, { resource, peer }: Ends, parted: Parted): Split {
  const other = peerName(facts, resource, peer);
  const cluster = facts.cluster.is === 'known' ? facts.cluster.value : null;
  return {
    resource: resource.name,
    isOneOfSeveral: peer.name !== null,
    foundAt: parted.foundAt,
    sides: [
      {
        node: facts.node,
        host: facts.node,
        isHere: true,
        role: resource.role,
        changedKiB: mostOf(parted.hereKiB, outOfSync(peer.volumes)),
        generation: parted.generationHere,
        own: null,
      },
      {
        node: peerLabel(facts, resource, peer),
        host: other,
        isHere: false,
        role: cluster && other !== null ? believedRole(cluster, resource.name, other) : null,
        changedKiB: parted.thereKiB,
        generation: parted.generationThere,
        own: null,
      },
    ],
  };
}

const inDrbdsWords: { readonly [role: string]: string } = {
  Promoted: 'Primary',
  Unpromoted: 'Secondary',
  Stopped: 'Secondary',
};

export function believedRole(cluster: Cluster, name: string, node: string): string | null {
  const id = replicated(cluster).find((one) => one.name === name)?.id;
  const role = id === undefined ? null : clusterRole(cluster, id, node);
  return role === null ? null : (inDrbdsWords[role] ?? role);
}

/** Whose changes to give up: those of the side that nobody works on. Null when both or neither is Primary. */
export function proposal(sides: Split['sides']): Side | null {
  const primary = sides.filter(({ role }) => role === 'Primary');
  const secondary = sides.filter(({ role }) => role === 'Secondary');
  return primary.length === 1 && secondary.length === 1 ? (secondary[0] ?? null) : null;
}
