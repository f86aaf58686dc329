import type { Host } from '../../lib/host/host.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending, exitStatus } from '../exit.ts';
import { lookAtCorosync } from '../facts/corosync.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { orNull, tryToKnow } from '../facts/known.ts';
import { peerLabel } from '../facts/peers.ts';
import { hasSecondCopy, services } from '../facts/service.ts';
import { findingsNow } from '../findings/now.ts';
import { endingFor } from '../output/findings.ts';
import { print } from '../output/print.ts';
import { writeWhole } from '../output/whole-file.ts';

/** `tsha metrics [-o FILE]`: text for the textfile collector of Prometheus' node exporter. */
export async function metrics(call: Call, { file }: { readonly file: string | null }): Promise<Ending> {
  const facts = await gather(call.host, Date.now());
  const text = metricsText(facts, await clusterName(call.host, facts));
  if (file === null) print(1, text);
  else replaceFile(file, text);
  return 'well';
}

/** Of a node whose cluster is stopped by its corosync.conf, which is the same on all; null where it has none. */
export async function clusterName(host: Host, { cluster }: Facts): Promise<string | null> {
  if (cluster.is === 'known' && cluster.value.name !== null) return cluster.value.name;
  const corosync = await tryToKnow(() => lookAtCorosync(host));
  return orNull(corosync)?.name ?? null;
}

/** A collector that looks in between finds the old file or the new one. */
function replaceFile(file: string, text: string): void {
  try {
    writeWhole(file, Buffer.from(text), 0o644);
  } catch (error) {
    throw new CommandError('unknown', `cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

type Sample = { readonly labels: { readonly [name: string]: string }; readonly value: number };

/** What is unknown has no sample, and no number is made up; tsha_level says that something is. Clusters are told apart by their name. */
export function metricsText(facts: Facts, clusterLabel: string | null): string {
  const lines: string[] = [];
  const common = clusterLabel === null ? {} : { cluster: clusterLabel };
  const metric = (name: string, help: string, samples: readonly Sample[]) => {
    if (samples.length === 0) return;
    lines.push(`# HELP tsha_${name} ${help}`, `# TYPE tsha_${name} gauge`);
    for (const { labels, value } of samples)
      lines.push(`tsha_${name}${labelled({ ...common, ...labels })} ${value}`);
  };
  const one = (value: number, labels: Sample['labels'] = {}): Sample => ({ labels, value });
  const bit = (is: boolean): number => (is ? 1 : 0);
  const cluster = facts.cluster.is === 'known' ? facts.cluster.value : null;
  const drbd = facts.drbd.is === 'known' ? facts.drbd.value : null;
  const nfs = facts.nfs.is === 'known' ? facts.nfs.value : null;
  const findings = findingsNow(facts);
  const copy = hasSecondCopy(facts);
  const all = cluster ? services(cluster) : [];

  metric('time_seconds', 'When these facts were gathered, in seconds since 1970.', [
    one(Math.floor(facts.time / 1000)),
  ]);
  metric('level', 'Exit status of tsha status: 0 well, 1 to look at, 2 broken, 3 unknown.', [
    one(exitStatus[endingFor(findings)]),
  ]);
  metric('cluster_up', 'Whether the cluster answers on this node.', [one(bit(cluster !== null))]);
  metric(
    'finding',
    'What tsha status has found, by code.',
    [...new Set(findings.map(({ code }) => code))].map((code) =>
      one(findings.filter((each) => each.code === code).length, { code }),
    ),
  );
  metric(
    'quorum',
    'Whether this part of the cluster has quorum.',
    cluster ? [one(bit(cluster.hasQuorum))] : [],
  );
  metric(
    'node_online',
    'Whether a node is in the cluster.',
    (cluster?.nodes ?? []).map(({ name, online }) => one(bit(online), { node: name })),
  );
  metric(
    'node_standby',
    'Whether a node is in standby.',
    (cluster?.nodes ?? []).map(({ name, standby }) => one(bit(standby !== 'no'), { node: name })),
  );
  metric(
    'service_up',
    'Whether a service runs as a whole.',
    // one that waits for a ticket is up or down on the site that has it
    all
      .filter(({ ticket }) => ticket === null)
      .map(({ id, state }) => one(bit(state === 'served'), { service: id })),
  );
  metric(
    'service_here',
    'Whether a service runs on this node.',
    all.map(({ id, state, node }) => one(bit(state === 'served' && node === facts.node), { service: id })),
  );
  metric(
    'failed_actions',
    'Failed actions that the cluster remembers.',
    cluster ? [one(cluster.failures.length)] : [],
  );
  metric(
    'second_copy',
    'Whether there are two current copies of everything.',
    copy === null ? [] : [one(bit(copy))],
  );
  const resources = drbd?.resources ?? [];
  const peers = resources.flatMap((resource) =>
    resource.peers.map((peer) => ({
      resource: resource.name,
      peer,
      labels: { resource: resource.name, peer: peerLabel(facts, resource, peer) },
    })),
  );
  metric(
    'drbd_primary',
    'Whether this node is Primary.',
    resources.map(({ name, role }) => one(bit(role === 'Primary'), { resource: name })),
  );
  metric(
    'drbd_disk_up_to_date',
    'Whether the copy of this node is UpToDate.',
    resources.flatMap(({ name, volumes }) =>
      volumes.map(({ volume, disk }) =>
        one(bit(disk === 'UpToDate'), { resource: name, volume: String(volume) }),
      ),
    ),
  );
  metric(
    'drbd_connected',
    'Whether the peer is connected.',
    peers.map(({ peer, labels }) => one(bit(peer.connection === 'Connected'), labels)),
  );
  metric(
    'drbd_split_brain',
    'Whether the data went two ways, by the kernel log.',
    peers.map(({ peer, labels }) => one(bit(peer.splitBrain !== null), labels)),
  );
  metric(
    'drbd_out_of_sync_bytes',
    'What the two copies do not have in common.',
    peers.flatMap(({ peer, labels }) =>
      peer.volumes.flatMap(({ volume, outOfSyncKiB }) =>
        outOfSyncKiB === null ? [] : [one(outOfSyncKiB * 1024, { ...labels, volume: String(volume) })],
      ),
    ),
  );
  metric('nfsd_threads', 'Threads of the NFS server of this node.', nfs ? [one(nfs.threads)] : []);
  metric(
    'nfs_clients',
    'Clients of the NFS server of this node.',
    nfs?.clients.is === 'known'
      ? [one(nfs.clients.value.v4, { version: '4' }), one(nfs.clients.value.others, { version: 'other' })]
      : [],
  );
  metric(
    'nfs_grace',
    'Whether the NFS server of this node is in its grace period.',
    nfs?.grace.is === 'known' ? [one(bit(nfs.grace.value === 'running'))] : [],
  );
  return `${lines.join('\n')}\n`;
}

const escapedLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const labelled = (labels: Sample['labels']): string => {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escapedLabel(value)}"`);
  return all.length === 0 ? '' : `{${all.join(',')}}`;
};
