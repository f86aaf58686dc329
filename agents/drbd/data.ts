import { type Connection, isPrimary, type Resource } from '../../lib/host/drbd/state.ts';
import type { Disk } from '../../lib/host/drbd/words.ts';

/** What the promotion score depends on: where good data is. Diskless clients say nothing about data. */
export type DataQuality = {
  readonly primary: boolean;
  readonly quorum: boolean;
  readonly forceIoFailures: boolean;
  /** This node has no disk for any volume, on purpose. */
  readonly disklessClient: boolean;
  readonly allUpToDateHere: boolean;
  /** UpToDate or Consistent. */
  readonly allConsistentHere: boolean;
  /** Every volume has UpToDate data here or at a peer that can be reached. */
  readonly allWithinReach: boolean;
  /** Every volume is UpToDate here but for those that are UpToDate nowhere: new ones, Inconsistent until their first sync. */
  readonly onlyNewVolumesLack: boolean;
  /** A disk is on its way: what it will be is not known yet. */
  readonly changing: boolean;
  readonly somePeerHasAll: boolean;
  readonly everyPeerHasAll: boolean;
  readonly somePeerUnknown: boolean;
  readonly somePeerPrimary: boolean;
};

export function dataQuality(resource: Resource): DataQuality {
  const { devices, connections } = resource;
  const ownDisks = devices.filter(({ client }) => !client).map(({ disk }) => disk);
  const peers = connections.filter((peer) => !isClient(peer, devices.length));
  const has = (word: (disk: Disk) => boolean) => (peer: Connection) =>
    peer.devices.filter(({ disk }) => word(disk)).length === devices.length;
  const hasAll = has((disk) => disk === 'UpToDate');
  const isKnown = has((disk) => disk !== 'DUnknown');
  const isGood = isGoodIn(resource);
  return {
    primary: isPrimary(resource),
    quorum: devices.every(({ quorum }) => quorum),
    forceIoFailures: resource.forceIoFailures,
    disklessClient: devices.every(({ disk, client }) => client && disk === 'Diskless'),
    allUpToDateHere: ownDisks.every((disk) => disk === 'UpToDate'),
    allConsistentHere: ownDisks.every((disk) => disk === 'UpToDate' || disk === 'Consistent'),
    allWithinReach: devices.every(isGood),
    onlyNewVolumesLack:
      ownDisks.includes('UpToDate') &&
      devices.every(
        (device) => device.disk === 'UpToDate' || (device.disk === 'Inconsistent' && !isGood(device)),
      ),
    changing: ownDisks.some((disk) => disk === 'Attaching' || disk === 'Negotiating'),
    somePeerHasAll: peers.some(hasAll),
    everyPeerHasAll: peers.length > 0 && peers.every(hasAll),
    somePeerUnknown: !peers.every(isKnown),
    somePeerPrimary: connections.some(({ role }) => role === 'Primary'),
  };
}

/** Volumes that a Primary has no UpToDate data of, neither here nor at a peer that can be reached: whoever uses them gets errors or waits. */
export const volumesOutOfReach = (resource: Resource): readonly number[] =>
  isPrimary(resource)
    ? resource.devices.filter((device) => !isGoodIn(resource)(device)).map(({ volume }) => volume)
    : [];

const isGoodIn =
  ({ connections }: Resource) =>
  ({ volume, disk }: { readonly volume: number; readonly disk: Disk }): boolean =>
    disk === 'UpToDate' || connections.some((one) => diskAt(one, volume) === 'UpToDate');

const diskAt = ({ devices }: Connection, volume: number): Disk | undefined =>
  devices.find((device) => device.volume === volume)?.disk;

const isClient = ({ devices }: Connection, volumes: number): boolean =>
  devices.filter(({ client }) => client).length === volumes;
