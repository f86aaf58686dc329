import type { SplitBrain } from '../../lib/host/drbd/split-brain.ts';
import {
  type Connection,
  type PeerDevice,
  type Resource,
  secondaryVolumes,
} from '../../lib/host/drbd/state.ts';

/** What an operator should know although it does not change the answer; one phrase each, the worst first. */
export function* remarksOn(resource: Resource, split?: SplitBrain): Generator<string> {
  const { role, suspended, forceIoFailures, devices, connections } = resource;
  const isWith = ({ peer }: Connection): boolean => split?.peer === '' || split?.peer === peer;
  for (const connection of connections)
    if (connection.state === 'StandAlone')
      yield standingAlone(resource, connection, isWith(connection) ? split : undefined);
  for (const { volume, quorum } of devices) if (!quorum) yield `volume ${volume} has no quorum`;
  if (suspended.length > 0) yield `I/O is suspended (${suspended.join(', ')})`;
  if (forceIoFailures) yield 'I/O is made to fail (force-io-failures)';
  for (const { volume, disk, client } of devices)
    if (disk !== 'UpToDate' && !client) yield `volume ${volume} is ${disk}`;
  const left = secondaryVolumes(resource);
  if (left.length > 0) yield `volume ${left.join(', ')} is still Secondary although the resource is ${role}`;
  for (const connection of connections) {
    const { peer, state } = connection;
    if (state === 'StandAlone') continue;
    if (state !== 'Connected')
      yield `connection to ${peer} is ${state}${split && isWith(connection) ? `, ${diverged(split)}` : ''}`;
    else yield* connection.devices.filter(({ client }) => !client).flatMap((device) => behind(peer, device));
  }
}

/** A peer that is there and has not all of the data. */
const behind = (peer: string, { volume, replication, disk }: PeerDevice): readonly string[] => {
  if (isSync(replication)) return [`volume ${volume} is being synchronized with ${peer} (${replication})`];
  return disk === 'UpToDate' ? [] : [`volume ${volume} of ${peer} is ${disk}`];
};

export const isSync = (replication: string): boolean => /^(?:Sync|PausedSync|Ahead|Behind)/.test(replication);

function standingAlone(resource: Resource, { peer }: Connection, split: SplitBrain | undefined): string {
  if (!split) return `connection to ${peer} is StandAlone: split brain, or disconnected by an administrator`;
  return `split brain with ${peer}: ${diverged(split)}, ${resource.role} here; drbdadm connect --discard-my-data ${resource.name} where data is to be given up`;
}

const diverged = ({ here, there }: SplitBrain): string =>
  here && there
    ? `data went two ways (generation ${here} here, ${there} there)`
    : 'data went two ways (see the kernel log)';
