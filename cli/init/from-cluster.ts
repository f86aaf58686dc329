import { Failure } from '../../lib/contract/outcome.ts';
import { readBoolean } from '../../lib/contract/params.ts';
import { addressFamily } from '../../lib/host/net/address-text.ts';
import { sameClient } from '../../lib/host/nfs/client-spec.ts';
import { isWithin } from '../../lib/host/storage/mounts.ts';
import { all, type Element as DrbdElement } from '../../lib/host/xml-element.ts';
import { alertAgent } from '../facts/alerts.ts';
import { type Values, valuesIn } from '../facts/cib.ts';
import { type Found, nothingHere, pairIn } from '../facts/pair-in-cib.ts';
import { below, type Element, attribute as of, within } from '../facts/xml.ts';
import { parametersOfFile } from '../plan/cluster.ts';
import type { AgentName } from '../stack.ts';
import type { Draft, Drafted } from './draft.ts';

type Exported = Draft['exports'][number];

/** Where the file may say what the cluster has although it would be an error otherwise. */
const acceptedFor = { why: 'as the cluster was when this file was written', years: 1 } as const;

/**
 * The draft of a cluster's pair: its CIB, whoever made it, and DRBD's configuration (`drbdadm dump-xml`). Throws `CommandError` where
 * there is no such pair, or several.
 */
export function draftFromCluster(cib: Element, drbd: DrbdElement, now: Date): Drafted {
  const notes: string[] = [];
  const { clone, group, members, drbdResource } = pairIn(cib);
  const one = (agent: AgentName): Found | undefined => members.find((member) => member.agent === agent);
  const server = one('nfsserver');
  const { filesystem, stateFilesystem } = filesystemsOf(members);
  if (!filesystem) throw nothingHere(`the group ${of(group, 'id')} has no Filesystem`);
  if (!server) throw nothingHere(`the group ${of(group, 'id')} has no nfsserver`);
  const addresses = members.filter(({ agent }) => agent === 'IPaddr2');
  const exports = exportsOf(members, notes);
  const settings = server.values;
  const with3 = !isTrue(settings['nfsv4_only']);
  const state = settings['nfs_shared_infodir'];
  if (state === undefined) notes.push(`${server.id} has no nfs_shared_infodir: nfs.state would give it one`);
  const ports = portsOf(settings);
  const first = (kind: 4 | 6) => addresses.filter(({ values }) => addressFamily(values['ip'] ?? '') === kind);
  const [ipv4, ipv6] = [first(4), first(6)];
  for (const { id } of [...ipv4.slice(1), ...ipv6.slice(1)])
    notes.push(`${id} is a further address: the file has one of each family`);
  const nic = addresses.map(({ values }) => values['nic']).find((name) => name !== undefined);
  const isFirst = (agent: AgentName) => members.findIndex((member) => member.agent === agent);
  const findings = [
    ...(exports.some((shared) => isWithin(state ?? '', shared.directory))
      ? ['INFODIR_EXPORTED' as const]
      : []),
    ...(isFirst('IPaddr2') >= 0 && isFirst('IPaddr2') < isFirst('exportfs')
      ? ['ADDRESS_FIRST' as const]
      : []),
    ...(secondsOf(settings['nfs_grace_time']) < secondsOf(settings['nfs_lease_time'])
      ? ['GRACE_BELOW_LEASE' as const]
      : []),
    ...(filesystem.provider === 'tsha' && !hasAlert(cib) ? ['NO_ALERT' as const] : []),
  ];
  notes.push(...leftOver(members));
  for (const member of within(group, 'primitive'))
    if (!members.some(({ id }) => id === of(member, 'id')))
      notes.push(`${of(member, 'id')} (${of(member, 'type')}) is in the group, too`);
  const notify = one('nfsnotify');
  const draft: Draft = {
    version: 1,
    name: 'nfs',
    provider: filesystem.provider === 'tsha' ? 'tsha' : 'stock',
    ...drbdDraft(drbd, drbdResource, filesystem, stateFilesystem),
    address: {
      ...(ipv4[0] ? { ip: withPrefix(ipv4[0]) } : {}),
      ...(ipv6[0] ? { ip6: withPrefix(ipv6[0]) } : {}),
      ...(nic === undefined ? {} : { interface: nic }),
    },
    nfs: {
      versions: with3 ? [4, 3] : [4],
      ...(settings['nfs_lease_time'] ? { lease: `${settings['nfs_lease_time']}s` } : {}),
      ...(settings['nfs_grace_time'] ? { grace: `${settings['nfs_grace_time']}s` } : {}),
      ...(settings['lockd_grace_time'] ? { lockdGrace: `${settings['lockd_grace_time']}s` } : {}),
      ...(state === undefined ? {} : { state }),
      ...(Object.keys(ports).length > 0 ? { ports } : {}),
    },
    exports,
    meta: valuesIn(below(group, 'meta_attributes')),
    ids: {
      group: of(group, 'id'),
      drbd: drbdResource.id,
      clone: of(clone, 'id'),
      filesystem: filesystem.id,
      ...(stateFilesystem ? { state: stateFilesystem.id } : {}),
      server: server.id,
      ...(ipv4[0] ? { address: ipv4[0].id } : {}),
      ...(ipv6[0] ? { address6: ipv6[0].id } : {}),
      ...(notify ? { notify: notify.id } : {}),
    },
    ...(findings.length > 0
      ? {
          accept: findings.map((code) => ({
            code,
            why: acceptedFor.why,
            until: dayAfter(now, acceptedFor.years),
          })),
        }
      : {}),
  };
  return { draft, notes };
}

const hasAlert = (cib: Element): boolean =>
  within(cib, 'alert').some((alert) => of(alert, 'path') === alertAgent);

const isTrue = (text: string | undefined): boolean => readBoolean(text ?? '') === true;
const secondsOf = (text: string | undefined): number => (text === undefined ? 90 : Number(text));
const dayAfter = (now: Date, years: number): string =>
  `${now.getUTCFullYear() + years}${now.toISOString().slice(4, 8)}${now.toISOString().slice(8, 10)}`.replace(
    '-02-29',
    '-02-28',
  );

/** That of the exports, and that of the server's state, where they differ. */
function filesystemsOf(members: readonly Found[]): {
  readonly filesystem: Found | undefined;
  readonly stateFilesystem: Found | undefined;
} {
  const all = members.filter(({ agent }) => agent === 'Filesystem');
  const lengthOf = ({ values }: Found) => values['directory']?.length ?? 0;
  const holding = (path: string | undefined) =>
    all
      .filter(({ values: { directory } }) => path && directory && isWithin(path, directory))
      .toSorted((one, other) => lengthOf(other) - lengthOf(one))[0];
  const exported = members.find(({ agent }) => agent === 'exportfs')?.values['directory'];
  const state = members.find(({ agent }) => agent === 'nfsserver')?.values['nfs_shared_infodir'];
  const filesystem = holding(exported?.split(/\s+/)[0]) ?? all[0];
  const ofState = holding(state);
  return { filesystem, stateFilesystem: ofState === filesystem ? undefined : ofState };
}

/** Exports of the same directory, options and fsid become one entry. */
function exportsOf(members: readonly Found[], notes: string[]): Exported[] {
  const exports: Exported[] = [];
  for (const { id, agent, values } of members) {
    if (agent !== 'exportfs') continue;
    const directories = (values['directory'] ?? '').split(/\s+/).filter(Boolean);
    const [directory = '', ...others] = directories;
    if (others.length > 0) {
      notes.push(
        `${id} exports several directories at once: the file has an entry for each, this one stays as it is`,
      );
      continue;
    }
    const written = (values['options'] ?? 'ro').split(',').map((option) => option.trim());
    const inOptions = written.find((option) => option.startsWith('fsid='))?.slice(5);
    const options =
      written.filter((option) => option !== '' && !option.startsWith('fsid=')).join(',') || 'ro';
    const fsid = values['fsid'] ?? inOptions;
    if (fsid === undefined)
      notes.push(`${id} has no fsid: the one in the file would be new to clients, who mount again then`);
    const known: Exported['fsid'] =
      fsid === undefined ? freeFsid(exports) : /^\d+$/.test(fsid) ? Number(fsid) : fsid;
    const client = values['clientspec'] ?? '*';
    const same = exports.find(
      (one) =>
        one.directory === directory &&
        one.options === options &&
        String(one.fsid) === String(known) &&
        !one.clients.some((other) => sameClient(other, client)),
    );
    if (same) {
      same.clients.push(client);
      same.ids?.push(id);
    } else exports.push({ directory, clients: [client], options, fsid: known, ids: [id] });
  }
  return exports;
}

function freeFsid(exports: readonly Exported[]): number {
  let number = 1;
  while (exports.some(({ fsid }) => String(fsid) === String(number))) number++;
  return number;
}

const portNames: {
  readonly [parameter: string]: 'mountd' | 'statd' | 'statdOutgoing' | 'lockd' | 'rquotad';
} = {
  mountd_port: 'mountd',
  statd_port: 'statd',
  statd_outgoing_port: 'statdOutgoing',
  lockd_tcp_port: 'lockd',
  rquotad_port: 'rquotad',
};

const portsOf = (values: Values): { readonly [name: string]: number } =>
  Object.fromEntries(
    Object.entries(portNames).flatMap(([parameter, name]) =>
      values[parameter] === undefined ? [] : [[name, Number(values[parameter])] as const],
    ),
  );

const withPrefix = ({ values }: Found): string =>
  values['cidr_netmask'] ? `${values['ip']}/${values['cidr_netmask']}` : (values['ip'] ?? '');

const leftOver = (members: readonly Found[]): readonly string[] =>
  members.flatMap(({ id, agent, values }) =>
    Object.entries(values)
      .filter(([name]) => !parametersOfFile[agent].includes(name))
      .map(([name, value]) => `${id} has ${name}=${value}`),
  );

/** Nodes, devices, disks and what is mounted on them, of `drbdadm dump-xml` and the group. */
function drbdDraft(
  root: DrbdElement,
  { id, values }: Found,
  filesystem: Found,
  state: Found | undefined,
): Pick<Draft, 'nodes' | 'drbd' | 'filesystem' | 'state'> {
  const resource = values['drbd_resource'] ?? '';
  const [described] = all(root, 'resource').filter((one) => one.attributes['name'] === resource);
  const hosts = described?.children.filter(({ name }) => name === 'host') ?? [];
  const [first] = hosts;
  if (!first)
    throw new Failure('failed', `DRBD's configuration knows no hosts of ${resource}, which ${id} is about`);
  const text = (element: DrbdElement, name: string) => all(element, name)[0]?.text.trim() ?? '';
  const volumes = (host: DrbdElement) => host.children.filter(({ name }) => name === 'volume');
  const volumeOf = (host: DrbdElement, mounted: Found): DrbdElement | undefined =>
    volumes(host).find((volume) => text(volume, 'device') === mounted.values['device']);
  /** A filesystem below a name of another kind, /dev/drbd/by-res/…, is that of the first volume. */
  const data = (host: DrbdElement) => volumeOf(host, filesystem) ?? volumes(host)[0] ?? host;
  const ofState = (host: DrbdElement) => state && volumeOf(host, state);
  const diskIn = (volume: DrbdElement | undefined) => volume && text(volume, 'disk');
  const [disk, stateDisk] = [common(hosts.map(data).map(diskIn)), common(hosts.map(ofState).map(diskIn))];
  return {
    nodes: Object.fromEntries(
      hosts.map((host) => [
        host.attributes['name'] ?? '',
        {
          replication: text(host, 'address'),
          ...given('disk', disk === undefined ? diskIn(data(host)) : undefined),
          ...given('stateDisk', stateDisk === undefined ? diskIn(ofState(host)) : undefined),
        },
      ]),
    ),
    drbd: {
      resource,
      device: text(data(first), 'device'),
      ...given('disk', disk),
      port: Number(all(first, 'address')[0]?.attributes['port']),
    },
    filesystem: mountDraft(filesystem, 'xfs'),
    ...(state
      ? {
          state: {
            device: state.values['device'] ?? '',
            ...given('disk', stateDisk),
            ...mountDraft(state, 'ext4'),
          },
        }
      : {}),
  };
}

const mountDraft = ({ values }: Found, type: 'xfs' | 'ext4'): Draft['filesystem'] => ({
  type: (values['fstype'] ?? type) as 'xfs',
  directory: values['directory'] ?? '',
  ...given('options', values['options'] || undefined),
});

/** What all have alike. */
const common = (values: readonly (string | undefined)[]): string | undefined =>
  values.every((value) => value === values[0]) ? values[0] : undefined;

const given = <Name extends string>(
  name: Name,
  value: string | undefined,
): { readonly [key in Name]?: string } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [key in Name]?: string });
