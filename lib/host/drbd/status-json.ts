import type { Host } from '../host.ts';
import type { Dump } from './events2.ts';
import type { Connection, Device, PeerDevice } from './state.ts';
import { diskOf, linkOf, pausesOf, replicationOf, roleOf, suspensionsOf } from './words.ts';

/*
 * [ { "name": "data", "role": "Primary", "suspended-user": false, …, "force-io-failures": false,
 *     "devices":     [ { "volume": 0, "minor": 1, "disk-state": "UpToDate", "client": false, "quorum": true } ],
 *     "connections": [ { "name": "node2", "connection-state": "Connected", "peer-role": "Secondary",
 *       "peer_devices": [ { "volume": 0, "replication-state": "PausedSyncS", "peer-disk-state": "Inconsistent", "peer-client": false,
 *                           "resync-suspended": "user" } ] } ] } ]
 */

/** What a resource certainly has none of. */
export type Lacks = { readonly volumes: boolean; readonly connections: boolean };

/** By the kernel's own lists in debugfs; nothing where that is not mounted. */
export async function knownToLack(host: Host, name: string): Promise<Lacks> {
  const isEmpty = (list: string) =>
    host.sys.list(`/sys/kernel/debug/drbd/resources/${name}/${list}`).then(
      ({ length }) => length === 0,
      () => false,
    );
  return { volumes: await isEmpty('volumes'), connections: await isEmpty('connections') };
}

/**
 * Reads `drbdsetup status --json` of DRBD 9. `undefined` for anything that is not its complete document. Keys that came later
 * than drbd-utils 9.6 are optional, unknown ones ignored.
 *
 * The tool asks the kernel for resources, devices, connections and peer devices one after the other, prints what it got and ends with 0
 * although one of the later answers has failed. So a list that is empty proves nothing, unless the resource is known to lack it; and the
 * kernel has a peer device for every volume of every connection.
 */
export function parseStatusJson(text: string, name: string, lacks?: Lacks): Dump | undefined {
  const list = parsed(text);
  if (!Array.isArray(list)) return undefined;
  const found = list.find((one) => isObject(one) && one['name'] === name);
  if (!isObject(found)) return { resource: undefined };
  const role = roleOf(word(found['role']));
  const volumes = objects(found['devices']);
  if (!role || volumes.some((one) => Number.isNaN(count(one['minor'])) || !word(one['disk-state'])))
    return undefined;
  const connections = objects(found['connections']).map(connection);
  if (volumes.length === 0 && !lacks?.volumes) return undefined;
  if (connections.length === 0 && !lacks?.connections) return undefined;
  if (connections.some(({ devices }) => devices.length !== volumes.length)) return undefined;
  return {
    resource: {
      name,
      role,
      suspended: suspensionsOf(
        ['user', 'no-data', 'fencing', 'quorum']
          .filter((why) => found[`suspended-${why}`] === true)
          .join(','),
      ),
      forceIoFailures: found['force-io-failures'] === true,
      devices: volumes.map(device),
      connections,
    },
  };
}

/** drbd-utils before 9.6 print C's `nan` and `inf`, which no JSON knows. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/:\s*-?(?:nan|inf)\b/g, ': null'));
  } catch {
    return undefined;
  }
}

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
const word = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const count = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

const device = (json: Json): Device => ({
  volume: count(json['volume']),
  minor: count(json['minor']),
  disk: diskOf(word(json['disk-state']) ?? ''),
  client: json['client'] === true,
  quorum: json['quorum'] !== false,
});

const connection = (json: Json): Connection => ({
  peer: word(json['name']) ?? 'peer',
  state: linkOf(word(json['connection-state']) ?? ''),
  role: roleOf(word(json['peer-role'])) ?? 'Unknown',
  devices: objects(json['peer_devices']).map(peerDevice),
});

function peerDevice(json: Json): PeerDevice {
  const paused = pausesOf(word(json['resync-suspended']) ?? 'no');
  return {
    volume: count(json['volume']),
    replication: replicationOf(word(json['replication-state']) ?? 'Off'),
    disk: diskOf(word(json['peer-disk-state']) ?? 'DUnknown'),
    client: json['peer-client'] === true,
    ...(paused.length > 0 && { paused }),
  };
}
