import type { Host } from '../../lib/host/host.ts';
import type { Cluster } from './cluster.ts';
import type { Drbd, DrbdResource, Peer } from './drbd.ts';
import type { Facts } from './gather.ts';
import { type Known, tryToKnow } from './known.ts';
import { drbdSetup } from './setup.ts';

// DRBD 8.4 does not know its peer's name. In a cluster of two it is the other node; elsewhere DRBD's configuration tells.

/** Hosts by the names of their resources, of DRBD's configuration. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/** Names may have a domain at one place where they have none at another. */
export const isSameHost = (one: string, other: string): boolean =>
  one.split('.', 1)[0] === other.split('.', 1)[0];

const otherMembers = (cluster: Known<Cluster>, node: string): readonly string[] =>
  cluster.is === 'known'
    ? cluster.value.nodes.filter(({ name, isMember }) => isMember && name !== node).map(({ name }) => name)
    : [];

/** Asks for the hosts only where neither the kernel nor the cluster can tell. */
export async function lookAtHosts(
  host: Host,
  drbd: Known<Drbd>,
  cluster: Known<Cluster>,
  node: string,
): Promise<Hosts> {
  const isPair = otherMembers(cluster, node).length === 1;
  const unnamed =
    isPair || drbd.is === 'unknown'
      ? []
      : drbd.value.resources.filter(({ peers }) => peers.some(({ name }) => name === null));
  const found = await Promise.all(
    unnamed.map(async ({ name }) => {
      const setup = await tryToKnow(() => drbdSetup(host, name));
      return [name, setup.is === 'known' ? setup.value.hosts : []] as const;
    }),
  );
  return new Map(found);
}

/** The other end of a connection, as the cluster calls it where it is a node of it; null where nobody can tell. */
export function peerName(
  { cluster, node, hosts }: Facts,
  { name: resource }: Pick<DrbdResource, 'name'>,
  peer: Peer,
): string | null {
  if (peer.name !== null) return peer.name;
  const members = otherMembers(cluster, node);
  if (members.length === 1) return members[0] ?? null;
  const [other, ...more] = (hosts.get(resource) ?? []).filter((one) => !isSameHost(one, node));
  if (other === undefined || more.length > 0) return null;
  return members.find((member) => isSameHost(member, other)) ?? other;
}

/** As it is shown. */
export const peerLabel = (...of: Parameters<typeof peerName>): string => peerName(...of) ?? 'peer';
