import { type Resource, secondaryVolumes } from '../../lib/host/drbd/state.ts';

/** What an operator should know although it does not change the answer; one phrase each. */
export function* remarksOn(resource: Resource): Generator<string> {
  const { role, suspended, forceIoFailures, devices, connections } = resource;
  for (const { peer, state } of connections) {
    if (state === 'StandAlone')
      yield `connection to ${peer} is StandAlone: split brain, or disconnected by an administrator`;
    else if (state !== 'Connected') yield `connection to ${peer} is ${state}`;
  }
  for (const { volume, disk, client, quorum } of devices) {
    if (!quorum) yield `volume ${volume} has no quorum`;
    if (disk !== 'UpToDate' && !client) yield `volume ${volume} is ${disk}`;
  }
  if (suspended.length > 0) yield `I/O is suspended (${suspended.join(', ')})`;
  if (forceIoFailures) yield 'I/O is made to fail (force-io-failures)';
  const left = secondaryVolumes(resource);
  if (left.length > 0) yield `volume ${left.join(', ')} is still Secondary although the resource is ${role}`;
}
