import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { parseConfiguration } from '../../lib/host/drbd/configuration.ts';
import type { Host } from '../../lib/host/host.ts';
import type { Cluster } from './cluster.ts';
import type { Drbd } from './drbd.ts';
import { type Known, orNull, tryToKnow } from './known.ts';

// DRBD 8.4 does not know its peer's name. In a cluster of two it is the other node; elsewhere DRBD's configuration tells.

/** Hosts by the names of their resources, of DRBD's configuration. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/** Names may have a domain at one place where they have none at another. */
export const isSameHost = (one: string, other: string): boolean =>
  one === other ||
  (!(one.includes('.') && other.includes('.')) && one.split('.', 1)[0] === other.split('.', 1)[0]);

export const otherMembers = (cluster: Known<Cluster>, node: string): readonly string[] =>
  cluster.is === 'known'
    ? cluster.value.nodes.filter(({ name, isMember }) => isMember && name !== node).map(({ name }) => name)
    : [];

const askMs = 5000;

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
      const known = await tryToKnow(() => hostsOf(host, name));
      return [name, orNull(known) ?? []] as const;
    }),
  );
  return new Map(found);
}

async function hostsOf(host: Host, name: string): Promise<readonly string[]> {
  const admin = drbdadm(host, name, '/etc/drbd.conf');
  const output = await admin.run(['-d', 'dump-xml', name], { timeoutMs: askMs });
  return output.code === 0 ? (await parseConfiguration(output.stdout)).hosts : [];
}
