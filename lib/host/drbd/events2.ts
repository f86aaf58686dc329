import { type Connection, type Device, isRole, type PeerDevice, type Resource } from './state.ts';

export type Dump = {
  /** `undefined` when the dump is complete and the resource is not in it. */
  readonly resource: Resource | undefined;
};

type Fields = ReadonlyMap<string, string>;

/**
 * Reads `drbdsetup events2 --now RES`: one object per line, the same grammar from DRBD 8.4 and 9. Returns `undefined` for
 * anything but a complete dump, which ends with `exists -`: an incomplete one proves nothing. Only `exists` lines of this
 * resource count; `change` lines recompute promotion numbers in between.
 */
export function parseEvents2(text: string, name: string): Dump | undefined {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => line.trim() === 'exists -');
  if (end < 0) return undefined;
  const objects = lines
    .slice(0, end)
    .map((line) => line.trim().split(/\s+/))
    .filter(([event]) => event === 'exists')
    .map(([, kind = '', ...words]) => ({ kind, fields: fieldsOf(words) }))
    .filter(({ fields }) => fields.get('name') === name);
  /** The kernel lists the newest first: sorted as `status` shows them. */
  const all = (kind: string) =>
    objects
      .filter((object) => object.kind === kind)
      .map(({ fields }) => fields)
      .sort((a, b) => place(a) - place(b));

  const [resource] = all('resource');
  if (!resource) return objects.length === 0 ? { resource: undefined } : undefined;
  const role = resource.get('role');
  if (!isRole(role)) return undefined;
  const devices = all('device').map(device);
  const peerDevices = all('peer-device');
  if (devices.some(({ minor, disk }) => Number.isNaN(minor) || disk === '')) return undefined;
  return {
    resource: {
      name,
      role,
      suspended: (resource.get('suspended') ?? 'no').split(',').filter((word) => word !== 'no'),
      forceIoFailures: resource.get('force-io-failures') === 'yes',
      devices,
      connections: all('connection').map((connection) => connectionOf(connection, peerDevices)),
    },
  };
}

/** `key:value`; values may hold colons themselves. */
const fieldsOf = (words: readonly string[]): Fields =>
  new Map(
    words.map((word) => {
      const colon = word.indexOf(':');
      return colon < 0 ? ([word, ''] as const) : ([word.slice(0, colon), word.slice(colon + 1)] as const);
    }),
  );

const place = (fields: Fields): number => Number(fields.get('volume') ?? fields.get('peer-node-id') ?? 0);

const device = (fields: Fields): Device => ({
  volume: Number(fields.get('volume')),
  minor: Number(fields.get('minor') ?? 'none'),
  disk: fields.get('disk') ?? '',
  client: fields.get('client') === 'yes',
  quorum: fields.get('quorum') !== 'no',
});

function connectionOf(fields: Fields, peerDevices: readonly Fields[]): Connection {
  const id = fields.get('peer-node-id');
  return {
    peer: fields.get('conn-name') ?? 'peer', // 8.4 leaves the name out of a connection that stands alone
    state: fields.get('connection') ?? 'Unknown',
    role: fields.get('role') ?? 'Unknown',
    devices: peerDevices.filter((one) => one.get('peer-node-id') === id).map(peerDevice),
  };
}

const peerDevice = (fields: Fields): PeerDevice => ({
  volume: Number(fields.get('volume')),
  replication: fields.get('replication') ?? 'Off',
  disk: fields.get('peer-disk') ?? 'DUnknown',
  client: fields.get('peer-client') === 'yes',
  ...(fields.has('done') && { done: Number(fields.get('done')) }),
});
