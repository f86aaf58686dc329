import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, commandTrouble, firstLine, type Host } from '../../lib/host/host.ts';
import { blockDeviceUsers } from '../../lib/host/storage/block-device-users.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { type DrbdResource, lookAtDrbd, type Peer, type Period } from './drbd.ts';

/** What only the node itself can tell of its side of a split brain. */
export type SideFacts = {
  readonly role: string;
  /** Who keeps the devices open: `/dev/drbd1 mounted on /srv`. */
  readonly users: readonly string[];
  readonly lastPrimary: Period | null;
  /** What lies below each volume. */
  readonly disks: readonly Disk[];
  /** What this node knows of each connection; null from a tsha that did not tell yet. */
  readonly peers: readonly PeerFacts[] | null;
};

export type PeerFacts = Pick<Peer, 'name' | 'connection' | 'splitBrain'> & {
  /** What this node has changed alone, and by now. */
  readonly outOfSyncKiB: number | null;
};

export type Disk = {
  readonly path: string;
  /** Null where it is none, or nobody could tell: `why`. */
  readonly lv: LogicalVolume | null;
  readonly why?: string | undefined;
};

/** Sizes in bytes. */
export type LogicalVolume = {
  readonly vg: string;
  readonly name: string;
  readonly size: number;
  readonly free: number;
  readonly isThin: boolean;
  /** Of a thin one, where it was told: its pool, in the same group. */
  readonly pool?: string | undefined;
};

const drbdMajor = 147;
const usersMs = 5000;

/** Throws `Failure` for a resource that DRBD does not have here, or that does not answer. */
export async function lookAtSide(host: Host, name: string): Promise<SideFacts> {
  const { role, lastPrimary, volumes, peers } = await resourceHere(host, name);
  return {
    ...{ role, lastPrimary },
    users: await usersOf(host, volumes),
    disks: await disksOf(host, name),
    peers: peers.map(peerFacts),
  };
}

export const peerFacts = ({ name, connection, splitBrain, volumes }: Peer): PeerFacts => ({
  ...{ name, connection, splitBrain },
  outOfSyncKiB: outOfSync(volumes),
});

/** Of all volumes together; null where DRBD tells of none. */
export const outOfSync = (volumes: Peer['volumes']): number | null =>
  volumes.reduce<number | null>(
    (sum, { outOfSyncKiB }) => (outOfSyncKiB === null ? sum : (sum ?? 0) + outOfSyncKiB),
    null,
  );

/** Who works on the data at this moment, one phrase each. */
export async function usersOf(host: Host, volumes: DrbdResource['volumes']): Promise<readonly string[]> {
  const users: string[] = [];
  for (const { minor } of volumes) {
    const device = { name: `drbd${minor}`, number: `${drbdMajor}:${minor}` };
    for (const user of await blockDeviceUsers(host, device, usersMs)) users.push(`/dev/drbd${minor} ${user}`);
  }
  return users;
}

export async function resourceHere(host: Host, name: string): Promise<DrbdResource> {
  const found = (await lookAtDrbd(host)).resources.find((one) => one.name === name);
  if (!found) throw new Failure('failed', `DRBD has no resource ${name} on this node`);
  return found;
}

/** `drbdadm sh-ll-dev` has a line for each volume of this node. */
export async function disksOf(host: Host, name: string): Promise<readonly Disk[]> {
  const argv: Argv = ['drbdadm', 'sh-ll-dev', name];
  const output = await host.tryRun(argv, { timeoutMs: 10_000 });
  if (output.code !== 0) throw commandFailure(argv, output);
  const paths = output.stdout.split('\n').filter((line) => line.startsWith('/'));
  return Promise.all(paths.map(async (path) => ({ path, ...(await logicalVolume(host, path)) })));
}

/** What LVM says of a path at which it has none. */
const noLogicalVolume = /not found|Failed to find|Invalid path|invalid device name/i;

/**
 * Null for what is no logical volume, and where there is no LVM:
 *
 *     vg0|nfs|10737418240|5368709120|linear|
 *     (1) (2) (3)         (4)        (5)    (6)
 *
 * (1) volume group  (2) its name  (3) size  (4) what is free in the group, in bytes both  (5) kind of segments  (6) its thin pool
 */
async function logicalVolume(host: Host, path: string): Promise<Omit<Disk, 'path'>> {
  const argv = lvs('vg_name,lv_name,lv_size,vg_free,segtype,pool_lv', path);
  const output = await host.tryRun(argv, { timeoutMs: 10_000 });
  if (output.missing) return { lv: null };
  if (output.code !== 0)
    return !output.hung && noLogicalVolume.test(output.stderr)
      ? { lv: null }
      : { lv: null, why: commandTrouble(argv, output) };
  const [vg = '', name = '', size, free, kind, pool = ''] = firstLine(output.stdout).trim().split('|');
  if (vg === '' || name === '') return { lv: null, why: commandTrouble(argv, output) };
  const isThin = kind === 'thin';
  return {
    lv: { vg, name, size: Number(size), free: Number(free), isThin, ...(isThin && pool !== '' && { pool }) },
  };
}

const lvs = (fields: string, path: string): Argv => [
  'lvs',
  ...['--noheadings', '--units', 'b', '--nosuffix', '--separator', '|', '-o', fields, path],
];

/** What is free in a thin pool, in bytes. Throws `Failure` where it is not told. */
export async function freeInPool(host: Host, vg: string, pool: string): Promise<number> {
  const argv = lvs('lv_size,data_percent', `${vg}/${pool}`);
  const output = await host.tryRun(argv, { timeoutMs: 10_000 });
  if (output.code !== 0) throw commandFailure(argv, output);
  const [size, percent] = firstLine(output.stdout).trim().split('|').map(Number.parseFloat);
  if (!Number.isFinite(size) || !Number.isFinite(percent)) throw commandFailure(argv, output);
  return Math.floor(((size ?? 0) * (100 - (percent ?? 0))) / 100);
}
