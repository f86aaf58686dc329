import type { Dump } from './events2.ts';
import { type Connection, type Device, isRole, type PeerDevice } from './state.ts';

/**
 * Reads `drbdsetup status --json` of DRBD 9. `undefined` for anything that is not its complete document. Keys that came later
 * than drbd-utils 9.6 are optional, unknown ones ignored.
 */
export function parseStatusJson(text: string, name: string): Dump | undefined {
  const list = parsed(text);
  if (!Array.isArray(list)) return undefined;
  const found = list.find((one) => isObject(one) && one['name'] === name);
  if (!isObject(found)) return { resource: undefined };
  const role = word(found['role']);
  const devices = objects(found['devices']).map(device);
  if (!isRole(role) || devices.some(({ minor, disk }) => Number.isNaN(minor) || disk === ''))
    return undefined;
  return {
    resource: {
      name,
      role,
      suspended: ['user', 'no-data', 'fencing', 'quorum'].filter((why) => found[`suspended-${why}`] === true),
      forceIoFailures: found['force-io-failures'] === true,
      devices,
      connections: objects(found['connections']).map(connection),
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
  disk: word(json['disk-state']) ?? '',
  client: json['client'] === true,
  quorum: json['quorum'] !== false,
});

const connection = (json: Json): Connection => ({
  peer: word(json['name']) ?? 'peer',
  state: word(json['connection-state']) ?? 'Unknown',
  role: word(json['peer-role']) ?? 'Unknown',
  devices: objects(json['peer_devices']).map(peerDevice),
});

const peerDevice = (json: Json): PeerDevice => ({
  volume: count(json['volume']),
  replication: word(json['replication-state']) ?? 'Off',
  disk: word(json['peer-disk-state']) ?? 'DUnknown',
  client: json['peer-client'] === true,
});
