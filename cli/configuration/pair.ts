import { secondsIn } from '../../lib/host/cluster-time.ts';
import { canonicalIp } from '../../lib/host/net/address-text.ts';
import type { Configuration } from './shape.ts';

/** The pair that the configuration describes, everything decided. */
export type Pair = {
  readonly name: string;
  readonly provider: Configuration['provider'];
  readonly nodes: readonly PairNode[];
  readonly drbd: { readonly resource: string; readonly port: number };
  readonly filesystem: Volume;
  /** Where the state of the server has a filesystem of its own. */
  readonly state: Volume | null;
  /** IPv4 first. */
  readonly addresses: readonly ServiceAddress[];
  readonly nfs: {
    readonly with3: boolean;
    readonly leaseSeconds: number | null;
    readonly graceSeconds: number | null;
    /** For NFSv3 alone. */
    readonly lockdGraceSeconds: number | null;
    readonly threads: number | null;
    /** Directory of the state of the server. */
    readonly state: string;
    readonly ports: Configuration['nfs']['ports'];
  };
  /** One per directory and client, in the order of the file. */
  readonly exports: readonly PairExport[];
  readonly fencing: Configuration['fencing'];
  /** Meta attributes of the group. */
  readonly meta: readonly (readonly [name: string, value: string])[];
  readonly ids: { readonly [of in 'group' | 'drbd' | 'clone' | 'server' | 'notify']: string };
  readonly accept: Configuration['accept'];
};

export type PairNode = { readonly name: string; readonly replication: string };

/** One of DRBD's volumes and the filesystem on it. */
export type Volume = {
  /** Of the resource that mounts it. */
  readonly id: string;
  readonly device: string;
  /** By node. */
  readonly disks: { readonly [node: string]: string };
  readonly type: string;
  readonly directory: string;
  readonly options: string | null;
};

/** In the order of their numbers in DRBD, and of their mounts. */
export const volumesOf = ({ filesystem, state }: Pair): readonly Volume[] =>
  state === null ? [filesystem] : [filesystem, state];

export type ServiceAddress = {
  readonly id: string;
  readonly ip: string;
  readonly prefix: number;
  readonly interface: string | null;
};

export type PairExport = {
  readonly id: string;
  readonly directory: string;
  readonly client: string;
  readonly options: string;
  readonly fsid: string;
};

/** Ids of exports begin with this where the file gives no other: what else is in the group belongs to somebody else. */
export const exportPrefix = (name: string): string => `${name}-export-`;

/** What an id may hold of a path or a client: `10.0.0.0/24` becomes `10.0.0.0-24`, `*` becomes `all`. */
const idPart = (text: string): string =>
  text === '*'
    ? 'all'
    : text
        .replaceAll('*', 'any')
        .replace(/[^\w.]+/g, '-')
        .replace(/^-|-$/g, '');

/** A directory whose name has nothing that an id may hold goes by its fsid. */
const exportId = (
  name: string,
  filesystem: string,
  directory: string,
  client: string,
  fsid: string | number,
): string => {
  const within =
    directory === filesystem ? 'root' : idPart(directory.slice(filesystem.length)) || `fsid${fsid}`;
  return `${exportPrefix(name)}${within}-${idPart(client)}`;
};

/** Where the state is when the file does not say: in the filesystem of its own, else beside what is exported. */
export const stateOf = ({ nfs, state, filesystem }: Configuration): string =>
  nfs.state ?? state?.directory ?? `${filesystem.directory}/.nfs-state`;

export const exportsOf = ({ name, filesystem, exports }: Configuration): readonly PairExport[] =>
  exports.flatMap(({ directory, clients, options, fsid, ids }) =>
    clients.map((client, index) => ({
      id: ids?.[index] ?? exportId(name, filesystem.directory, directory, client, fsid),
      directory,
      client,
      options,
      fsid: String(fsid) === 'root' ? '0' : String(fsid),
    })),
  );

export const diskOf = ({ nodes, drbd }: Configuration, node: string): string | undefined =>
  nodes[node]?.disk ?? drbd.disk;
export const stateDiskOf = ({ nodes, state }: Configuration, node: string): string | undefined =>
  nodes[node]?.stateDisk ?? state?.disk;

const seconds = (duration: string | undefined): number | null =>
  duration === undefined ? null : secondsIn(duration);

const mounted = ({
  type,
  directory,
  options,
}: Configuration['filesystem']): Pick<Volume, 'type' | 'directory' | 'options'> => ({
  type,
  directory,
  options: options ?? null,
});

/** Of a configuration that rules.ts has nothing against. */
export function pairOf(configuration: Configuration): Pair {
  const { name, ids, nfs, address, filesystem, state, drbd } = configuration;
  const names = Object.keys(configuration.nodes);
  const disks = (of: typeof diskOf): Volume['disks'] =>
    Object.fromEntries(names.map((node) => [node, of(configuration, node) ?? '']));
  const serviceAddress = (written: string | undefined, id: string): readonly ServiceAddress[] => {
    const [ip = '', prefix = ''] = (written ?? '').split('/');
    if (ip === '') return [];
    return [{ id, ip: canonicalIp(ip) ?? ip, prefix: Number(prefix), interface: address.interface ?? null }];
  };
  return {
    name,
    provider: configuration.provider,
    nodes: Object.entries(configuration.nodes).map(([node, { replication }]) => ({
      name: node,
      replication: canonicalIp(replication) ?? replication,
    })),
    drbd: { resource: drbd.resource, port: drbd.port },
    filesystem: {
      ...mounted(filesystem),
      id: ids.filesystem ?? `${name}-fs`,
      device: drbd.device,
      disks: disks(diskOf),
    },
    state: state
      ? {
          ...mounted(state),
          id: ids.state ?? `${name}-state`,
          device: state.device,
          disks: disks(stateDiskOf),
        }
      : null,
    addresses: [
      ...serviceAddress(address.ip, ids.address ?? `${name}-ip`),
      ...serviceAddress(address.ip6, ids.address6 ?? `${name}-ip6`),
    ],
    nfs: {
      with3: nfs.versions.includes(3),
      leaseSeconds: seconds(nfs.lease),
      graceSeconds: seconds(nfs.grace),
      lockdGraceSeconds: seconds(nfs.lockdGrace),
      threads: nfs.threads ?? null,
      state: stateOf(configuration),
      ports: nfs.ports,
    },
    exports: exportsOf(configuration),
    fencing: configuration.fencing,
    meta: Object.entries(configuration.meta).map(([key, value]) => [key, String(value)] as const),
    ids: {
      group: ids.group ?? name,
      drbd: ids.drbd ?? `${name}-drbd`,
      clone: ids.clone ?? `${name}-drbd-clone`,
      server: ids.server ?? `${name}-server`,
      notify: ids.notify ?? `${name}-notify`,
    },
    accept: configuration.accept,
  };
}
