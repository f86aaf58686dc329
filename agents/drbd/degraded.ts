import type { SplitBrain } from '../../lib/host/drbd/split-brain.ts';
import {
  type Connection,
  type PeerDevice,
  type Resource,
  secondaryVolumes,
} from '../../lib/host/drbd/state.ts';
import { type Disk, isSync, type Link } from '../../lib/host/drbd/words.ts';
import { volumesOutOfReach } from './data.ts';

/** The ways in which a resource that runs is not as it should be, for an operator; one phrase each, the worst first. */
export function* degradedStates(resource: Resource, splits: readonly SplitBrain[] = []): Generator<string> {
  const { role, suspended, forceIoFailures, devices, connections } = resource;
  if (devices.length === 0) yield 'created, but it has no volume';
  for (const connection of connections) {
    const split = splitWith(connection, splits);
    if (split) yield splitBrain(resource, connection, split);
    else if (connection.state === 'StandAlone')
      yield `connection to ${connection.peer} is StandAlone: split brain, or disconnected by an administrator`;
  }
  for (const volume of volumesOutOfReach(resource)) yield `no UpToDate data of volume ${volume} within reach`;
  for (const { volume, quorum } of devices) if (!quorum) yield `volume ${volume} has no quorum`;
  if (suspended.length > 0) yield `I/O is suspended (${suspended.join(', ')})`;
  if (forceIoFailures) yield 'I/O is made to fail (force-io-failures)';
  for (const { volume, disk, client } of devices)
    if (disk !== 'UpToDate' && !client) yield `volume ${volume} is ${told(disk)}`;
  const left = secondaryVolumes(resource);
  if (left.length > 0) yield `volume ${left.join(', ')} is still Secondary although the resource is ${role}`;
  if (connections.length === 0) yield 'no connection to any peer';
  for (const connection of connections) {
    const { peer, state } = connection;
    if (state === 'StandAlone' || splitWith(connection, splits)) continue;
    if (state !== 'Connected') yield `connection to ${peer} is ${told(state)}`;
    else yield* connection.devices.filter(({ client }) => !client).flatMap((device) => behind(peer, device));
  }
}

const told = (word: Disk | Link): string => (word === 'unknown' ? 'in a state unknown to this agent' : word);

/** The peer of 8.4 has no name in the log. */
const splitWith = ({ peer, state }: Connection, splits: readonly SplitBrain[]): SplitBrain | undefined =>
  state === 'Connected' ? undefined : splits.find((one) => one.peer === '' || one.peer === peer);

/** A peer that is there and has not all of the data. */
function behind(peer: string, { volume, replication, disk, paused }: PeerDevice): readonly string[] {
  if (!isSync(replication))
    return disk === 'UpToDate' ? [] : [`volume ${volume} of ${peer} is ${told(disk)}`];
  if (paused)
    return [
      `the resync of volume ${volume} with ${peer} (${replication}) is suspended by ${paused.map(byWhom).join(' and ')}`,
    ];
  return [`volume ${volume} is being synchronized with ${peer} (${replication})`];
}

const byWhom = (pause: NonNullable<PeerDevice['paused']>[number]): string =>
  ({
    user: 'user (drbdadm pause-sync here)',
    peer: 'peer (pause-sync, or a dependency, there)',
    dependency: 'dependency (resync-after)',
    unknown: 'something unknown to this agent',
  })[pause];

/**
 * What happened, and what an operator types. A node that goes on connecting, as DRBD 9 leaves one of the two now and then, refuses
 * `connect --discard-my-data` before it has been disconnected; one that stands alone must be told to connect by its own administrator.
 */
function splitBrain(resource: Resource, { peer, state }: Connection, split: SplitBrain): string {
  const target = resource.connections.length > 1 ? `${resource.name}:${peer}` : resource.name;
  const disconnect = state === 'StandAlone' ? '' : `drbdadm disconnect ${target}; `;
  return (
    `split brain with ${peer}: ${diverged(split)}, ${resource.role} and ${state} here; where data is to be given up: ` +
    `${disconnect}drbdadm connect --discard-my-data ${target}; then on the other node, if it is StandAlone: drbdadm connect ${resource.name}`
  );
}

const diverged = ({ here, there }: SplitBrain): string =>
  here && there
    ? `data went two ways (generation ${here} here, ${there} there)`
    : 'data went two ways (see the kernel log)';
