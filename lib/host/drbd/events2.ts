import type { Connection, Device, PeerDevice, Resource } from './state.ts';
import { diskOf, linkOf, pausesOf, replicationOf, roleOf, suspensionsOf } from './words.ts';

export type Dump = {
  /** `undefined` when the dump is complete and the resource is not in it. */
  readonly resource: Resource | undefined;
};

/*
 * `drbdsetup events2 --now [RES]`, one object per line, the same grammar from DRBD 8.4 and 9:
 *
 *   exists resource name:data role:Primary suspended:no force-io-failures:no may_promote:no promotion_score:10102
 *   exists connection name:data peer-node-id:1 conn-name:node2 connection:Connected role:Secondary
 *   exists device name:data volume:0 minor:1 backing_dev:/dev/dm-0 disk:UpToDate client:no quorum:yes
 *   exists peer-device name:data peer-node-id:1 conn-name:node2 volume:0 replication:Established peer-disk:UpToDate … resync-suspended:no
 *   exists -
 *   (1)    (2)        (3)
 *
 * (1) the event: `exists` for what is there; `change` lines recompute promotion numbers in between and are left out
 * (2) the kind of object, `-` at the end of a complete dump
 * (3) its fields, `key:value`, in any order; values may hold colons themselves. 8.4 leaves out client, quorum and force-io-failures,
 *     and the name of a connection that stands alone. `done:` is there during a resync.
 */
type Fields = ReadonlyMap<string, string>;
type Line = { readonly kind: string; readonly fields: Fields };

/** `undefined` for an incomplete dump, which proves nothing. */
export function objectsIn(text: string): readonly Line[] | undefined {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => line.trim() === 'exists -');
  if (end < 0) return undefined;
  return lines
    .slice(0, end)
    .map((line) => line.trim().split(/\s+/))
    .filter(([event]) => event === 'exists')
    .map(([, kind = '', ...words]) => ({ kind, fields: fieldsOf(words) }));
}

/** Reads `drbdsetup events2 --now RES`. `undefined` for anything but a complete dump. */
export function parseEvents2(text: string, name: string): Dump | undefined {
  const objects = objectsIn(text)?.filter(({ fields }) => fields.get('name') === name);
  if (!objects) return undefined;
  /** The kernel lists the newest first: sorted as `status` shows them. */
  const all = (kind: string) =>
    objects
      .filter((object) => object.kind === kind)
      .map(({ fields }) => fields)
      .sort((a, b) => place(a) - place(b));

  const [resource] = all('resource');
  if (!resource) return objects.length === 0 ? { resource: undefined } : undefined;
  const role = roleOf(resource.get('role'));
  if (!role) return undefined;
  const lines = all('device');
  if (lines.some((line) => !/^\d+$/.test(line.get('minor') ?? '') || !line.get('disk'))) return undefined;
  const peerDevices = all('peer-device');
  return {
    resource: {
      name,
      role,
      suspended: suspensionsOf(resource.get('suspended') ?? 'no'),
      forceIoFailures: resource.get('force-io-failures') === 'yes',
      devices: lines.map(device),
      connections: all('connection').map((connection) => connectionOf(connection, peerDevices)),
    },
  };
}

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
  minor: Number(fields.get('minor')),
  disk: diskOf(fields.get('disk') ?? ''),
  client: fields.get('client') === 'yes',
  quorum: fields.get('quorum') !== 'no',
});

function connectionOf(fields: Fields, peerDevices: readonly Fields[]): Connection {
  const id = fields.get('peer-node-id');
  return {
    peer: fields.get('conn-name') ?? 'peer',
    state: linkOf(fields.get('connection') ?? ''),
    role: roleOf(fields.get('role')) ?? 'Unknown',
    devices: peerDevices.filter((one) => one.get('peer-node-id') === id).map(peerDevice),
  };
}

function peerDevice(fields: Fields): PeerDevice {
  const paused = pausesOf(fields.get('resync-suspended') ?? 'no');
  return {
    volume: Number(fields.get('volume')),
    replication: replicationOf(fields.get('replication') ?? 'Off'),
    disk: diskOf(fields.get('peer-disk') ?? 'DUnknown'),
    client: fields.get('peer-client') === 'yes',
    ...(paused.length > 0 && { paused }),
    ...(fields.has('done') && { done: Number(fields.get('done')) }),
  };
}
