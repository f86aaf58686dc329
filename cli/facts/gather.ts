import type { Host } from '../../lib/host/host.ts';
import { lookAtAddresses } from './addresses.ts';
import { type AtWork, lookAtWork } from './at-work.ts';
import { type Cluster, lookAtCluster } from './cluster.ts';
import { type Drbd, lookAtDrbd } from './drbd.ts';
import { type Hosts, lookAtHosts } from './drbd-hosts.ts';
import { type Known, tryToKnow } from './known.ts';
import { lookAtMounted } from './mounted.ts';
import { lookAtNfs, type Nfs } from './nfs.ts';

/** What this node knows at this moment. */
export type Facts = {
  /** This node's name in the cluster; the host's where the cluster does not say. */
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly cluster: Known<Cluster>;
  readonly drbd: Known<Drbd>;
  /** Of resources whose peer has no name otherwise. */
  readonly hosts: Hosts;
  readonly nfs: Known<Nfs>;
  /** Whether the addresses that are said to run on this node are there, by their ids. */
  readonly addresses: ReadonlyMap<string, Known<boolean>>;
  /** Ids of the cluster's filesystems that are mounted. */
  readonly mounted: Known<ReadonlySet<string>>;
  /** Who changes something on this node, or was killed while at it. */
  readonly atWork: Known<AtWork | null>;
};

/** Looks at everything side by side; a source that does not answer in its time is unknown, and the others are not. */
export async function gather(host: Host, time: number): Promise<Facts> {
  const looking = tryToKnow(() => lookAtCluster(host));
  const naming = nameOf(host, looking);
  const [node, cluster, drbd, nfs, addresses, mounted, atWork] = await Promise.all([
    naming,
    looking,
    tryToKnow(() => lookAtDrbd(host)),
    tryToKnow(() => lookAtNfs(host, looking)),
    lookAtAddresses(host, looking, naming),
    tryToKnow(() => lookAtMounted(host, looking)),
    tryToKnow(() => lookAtWork(host)),
  ]);
  const hosts = await lookAtHosts(host, drbd, cluster, node);
  return { node, time, cluster, drbd, hosts, nfs, addresses, mounted, atWork };
}

/** This node's, as the cluster calls it. */
export async function nameOf(host: Host, looking: Promise<Known<Cluster>>): Promise<string> {
  const [name, cluster] = await Promise.all([
    tryToKnow(async () => (await host.sys.read('/proc/sys/kernel/hostname')).trim()),
    looking,
  ]);
  const nodes = cluster.is === 'known' ? cluster.value.nodes.map((node) => node.name) : [];
  return ownName(name.is === 'known' ? name.value : 'localhost', nodes);
}

/** The cluster may call this node by its full name, or by its first part. */
export function ownName(hostName: string, nodes: readonly string[]): string {
  const first = (name: string) => name.split('.')[0];
  return (
    nodes.find((name) => name === hostName) ??
    nodes.find((name) => first(name) === first(hostName)) ??
    hostName
  );
}
