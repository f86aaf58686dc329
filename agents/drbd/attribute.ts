import type { SplitBrain } from '../../lib/host/drbd/split-brain.ts';
import type { Device, PeerDevice, Resource } from '../../lib/host/drbd/state.ts';
import { isSync } from '../../lib/host/drbd/words.ts';
import { volumesOutOfReach } from './data.ts';

/**
 * The value of the node attribute: the resource in one or two words, for people and alerts. The worst that is true of it, `connected`
 * when nothing is. A resync is told in steps of ten percent, because every change can make the cluster compute a transition.
 */
export function attributeOf(resource: Resource, splits: readonly SplitBrain[] = []): string {
  const { suspended, forceIoFailures, devices, connections } = resource;
  const states = connections.map(({ state }) => state);
  const peers = connections.filter(({ state }) => state === 'Connected').flatMap((one) => one.devices);
  if (devices.length === 0) return 'no-volumes';
  if (splits.length > 0) return 'split-brain';
  if (devices.some(({ quorum }) => !quorum)) return 'no-quorum';
  if (suspended.length > 0) return `suspended ${suspended.join(',')}`;
  if (forceIoFailures) return 'io-failing';
  const lost = volumesOutOfReach(resource);
  if (devices.some(({ volume, client }) => client && lost.includes(volume))) return 'no-data';
  if (states.includes('StandAlone')) return 'standalone';
  const syncing = peers.find(({ replication }) => isSync(replication));
  if (syncing) return `${syncing.replication.toLowerCase()}${progressOf(syncing)}`;
  const lacking = devices.find(isLacking);
  if (lacking) return lacking.disk.toLowerCase();
  if (states.length === 0) return 'unconnected';
  if (states.some((state) => state !== 'Connected')) return 'connecting';
  const behind = peers.find(isLacking);
  return behind ? `peer-${behind.disk.toLowerCase()}` : 'connected';
}

const isLacking = ({ disk, client }: Device | PeerDevice): boolean => disk !== 'UpToDate' && !client;

const progressOf = ({ done, paused }: PeerDevice): string =>
  (done === undefined ? '' : ` ${Math.floor(done / 10) * 10}%`) +
  (paused ? ` suspended ${paused.join(',')}` : '');
