import type { Host } from '../../lib/host/host.ts';
import { type AtWork, lookAtWork } from './at-work.ts';
import { type Cluster, lookAtCluster } from './cluster.ts';
import { type Drbd, lookAtDrbd } from './drbd.ts';
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
  readonly nfs: Known<Nfs>;
  /** Addresses on interfaces that are up. */
  readonly addresses: Known<ReadonlySet<string>>;
  /** Ids of the cluster's filesystems that are mounted. */
  readonly mounted: Known<ReadonlySet<string>>;
  /** Who changes something on this node, or was killed while at it. */
  readonly atWork: Known<AtWork | null>;
};

/** Looks at everything side by side; a source that does not answer in its time is unknown, and the others are not. */
export async function gather(host: Host, time: number): Promise<Facts> {
  const looking = tryToKnow(() => lookAtCluster(host));
  const [name, cluster, drbd, nfs, addresses, mounted, atWork] = await Promise.all([
    tryToKnow(async () => (await host.sys.read('/proc/sys/kernel/hostname')).trim()),
    looking,
    tryToKnow(() => lookAtDrbd(host)),
    tryToKnow(() => lookAtNfs(host, looking)),
    tryToKnow(async () => new Set((await host.sys.runningAddresses()).map(({ address }) => address))),
    tryToKnow(() => lookAtMounted(host, looking)),
    tryToKnow(() => lookAtWork(host)),
  ]);
  const hostName = name.is === 'known' ? name.value : 'localhost';
  const nodes = cluster.is === 'known' ? cluster.value.nodes.map((node) => node.name) : [];
  return { node: ownName(hostName, nodes), time, cluster, drbd, nfs, addresses, mounted, atWork };
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
