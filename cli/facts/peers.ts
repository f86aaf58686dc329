import type { DrbdResource, Peer } from './drbd.ts';
import { isSameHost, otherMembers } from './drbd-hosts.ts';
import type { Facts } from './gather.ts';

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
