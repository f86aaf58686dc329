import { drbd } from '../../agents/drbd/agent.ts';
import { exportfs } from '../../agents/exportfs/agent.ts';
import { filesystem } from '../../agents/Filesystem/agent.ts';
import { ipaddr2 } from '../../agents/IPaddr2/agent.ts';
import { nfsnotify } from '../../agents/nfsnotify/agent.ts';
import { nfsserver } from '../../agents/nfsserver/agent.ts';
import type { Timing } from '../../lib/ocf/agent.ts';
import { type Pair, type Volume, volumesOf } from '../configuration/pair.ts';
import { alertAgent, alertId } from '../facts/alerts.ts';
import { type AgentName, agentType } from '../stack.ts';
import type { Reason } from './words.ts';

/** What the cluster is to have for a pair, whoever writes it: pcs, crmsh or tsha itself. */
export type Wanted = {
  /** The first is DRBD, the others are the members of the group in their order. */
  readonly resources: readonly Resource[];
  readonly clone: Container;
  readonly group: Container;
  readonly colocation: Constraint;
  readonly order: Constraint;
  /** Null where the file accepts that there is none, or has the stock agents. */
  readonly alert: (Constraint & { readonly path: string }) | null;
};

export type Named = readonly (readonly [name: string, value: string])[];

export type Resource = {
  readonly id: string;
  readonly agent: AgentName;
  /** `ocf:tsha:drbd` */
  readonly type: string;
  readonly parameters: Named;
  readonly operations: readonly Operation[];
  readonly why: Reason;
};

export type Operation = {
  readonly name: string;
  readonly interval: string;
  readonly timeout: string;
  readonly role: 'Promoted' | 'Unpromoted' | null;
};

export type Container = {
  readonly id: string;
  readonly members: readonly string[];
  readonly meta: Named;
  readonly why: Reason;
};
export type Constraint = { readonly id: string; readonly why: Reason };

type Actions = { readonly [action: string]: Timing };

const actionsOf: { readonly [name in AgentName]: Actions } = {
  drbd: drbd.actions as Actions,
  Filesystem: filesystem.actions as Actions,
  nfsserver: nfsserver.actions as Actions,
  exportfs: exportfs.actions as Actions,
  IPaddr2: ipaddr2.actions as Actions,
  nfsnotify: nfsnotify.actions as Actions,
};

/** Two monitors of a promotable resource must differ in their interval: Pacemaker tells operations by name and interval. */
const monitors: { readonly [name in AgentName]: readonly Pick<Operation, 'interval' | 'role'>[] } = {
  drbd: [
    { interval: '20s', role: 'Promoted' },
    { interval: '30s', role: 'Unpromoted' },
  ],
  Filesystem: [{ interval: '20s', role: null }],
  nfsserver: [{ interval: '30s', role: null }],
  exportfs: [{ interval: '30s', role: null }],
  IPaddr2: [{ interval: '30s', role: null }],
  nfsnotify: [{ interval: '30s', role: null }],
};

function operationsOf(agent: AgentName): readonly Operation[] {
  const actions = actionsOf[agent];
  const timeout = (name: string): string => actions[name]?.timeout ?? '20s';
  const once = ['start', 'promote', 'demote', 'stop', 'notify'].filter((name) => name in actions);
  return [
    ...once.map((name) => ({ name, interval: '0s', timeout: timeout(name), role: null })),
    ...monitors[agent].map((one) => ({ name: 'monitor', timeout: timeout('monitor'), ...one })),
  ];
}

const cloneMeta: Named = [
  ['promotable', 'true'],
  ['promoted-max', '1'],
  ['promoted-node-max', '1'],
  ['clone-max', '2'],
  ['clone-node-max', '1'],
  ['notify', 'true'],
];

/** What the pair wants of the cluster. The address comes after the exports: until it is up nobody answers, and a hard mount waits. */
export function wantedOf(pair: Pair): Wanted {
  const { ids, provider } = pair;
  const resource = (id: string, agent: AgentName, parameters: Named, why: Reason): Resource => ({
    id,
    agent,
    type: agentType(agent, provider),
    parameters,
    operations: operationsOf(agent),
    why,
  });
  const drbd = resource(ids.drbd, 'drbd', [['drbd_resource', pair.drbd.resource]], 'drbd');
  const exports = pair.exports.map(({ id, client, options, directory, fsid }) =>
    resource(
      id,
      'exportfs',
      [
        ['clientspec', client],
        ['options', options],
        ['directory', directory],
        ['fsid', fsid],
      ],
      'export',
    ),
  );
  const addresses = pair.addresses.map(({ id, ip, prefix, interface: nic }) =>
    resource(
      id,
      'IPaddr2',
      [['ip', ip], ['cidr_netmask', String(prefix)], ...(nic === null ? [] : [['nic', nic] as const])],
      'address',
    ),
  );
  const members = [
    ...(isAddressFirst(pair) ? addresses : []),
    ...volumesOf(pair).map((volume) =>
      resource(
        volume.id,
        'Filesystem',
        filesystemParameters(volume),
        volume === pair.state ? 'state' : 'filesystem',
      ),
    ),
    resource(ids.server, 'nfsserver', serverParameters(pair), 'server'),
    ...(isAddressFirst(pair) ? exports : [...exports, ...addresses]),
    ...(notifies(pair)
      ? [
          resource(
            ids.notify,
            'nfsnotify',
            [['source_host', pair.addresses.map(({ ip }) => ip).join(',')]],
            'notify',
          ),
        ]
      : []),
  ];
  return {
    resources: [drbd, ...members],
    clone: { id: ids.clone, members: [drbd.id], meta: cloneMeta, why: 'clone' },
    group: { id: ids.group, members: members.map(({ id }) => id), meta: groupMeta(pair), why: 'group' },
    colocation: { id: `${ids.group}-with-promoted`, why: 'colocation' },
    order: { id: `${ids.group}-after-promotion`, why: 'order' },
    alert: hasAlert(pair) ? { id: alertId, path: alertAgent, why: 'alert' } : null,
  };
}

/** Where both nodes want to fence each other, Pacemaker lets the one be first that runs what counts (priority-fencing-delay). */
const groupMeta = ({ fencing, meta }: Pair): Named =>
  !fencing || meta.some(([name]) => name === 'priority') ? meta : [...meta, ['priority', '10']];

/** A cluster that has it so, and whose file says that it is meant to be so. */
const isAddressFirst = ({ accept }: Pair): boolean => accept.some(({ code }) => code === 'ADDRESS_FIRST');

const hasAlert = ({ accept, provider }: Pair): boolean =>
  provider === 'tsha' && !accept.some(({ code }) => code === 'NO_ALERT');

/** The stock agent has nobody to tell where NFSv3 is not served; ours has clients of NFSv4 connect anew. */
const notifies = ({ nfs, provider }: Pair): boolean => nfs.with3 || provider === 'tsha';

const filesystemParameters = ({ device, directory, type, options }: Volume): Named => [
  ['device', device],
  ['directory', directory],
  ['fstype', type],
  ...(options === null ? [] : [['options', options] as const]),
];

/** What the stock agent has no parameter for is in nfs.conf: nfs-conf.ts. */
function serverParameters({ nfs, provider }: Pair): Named {
  const { ports } = nfs;
  const ours: readonly (readonly [string, number | null | undefined])[] = [
    ['nfs_lease_time', nfs.leaseSeconds],
    ['nfs_grace_time', nfs.graceSeconds],
    ['lockd_grace_time', nfs.lockdGraceSeconds],
    ['mountd_port', ports.mountd],
    ['statd_port', ports.statd],
    ['statd_outgoing_port', ports.statdOutgoing],
    ['lockd_tcp_port', ports.lockd],
    ['lockd_udp_port', ports.lockd],
    ['rquotad_port', ports.rquotad],
  ];
  return [
    ['nfs_shared_infodir', nfs.state],
    ['nfs_no_notify', 'true'],
    ...(nfs.with3 ? [] : [['nfsv4_only', 'true'] as const]),
    ...(provider === 'tsha' ? ours : []).flatMap(([name, value]) =>
      value === null || value === undefined ? [] : [[name, String(value)] as const],
    ),
  ];
}
/** Parameters that the file has a word for; others in the cluster are the administrator's and stay. */
export const parametersOfFile: { readonly [name in AgentName]: readonly string[] } = {
  drbd: ['drbd_resource'],
  Filesystem: ['device', 'directory', 'fstype', 'options'],
  nfsserver: [
    'nfs_shared_infodir',
    'nfs_no_notify',
    'nfsv4_only',
    'nfs_lease_time',
    'nfs_grace_time',
    'lockd_grace_time',
    'mountd_port',
    'statd_port',
    'statd_outgoing_port',
    'lockd_tcp_port',
    'lockd_udp_port',
    'rquotad_port',
  ],
  exportfs: ['clientspec', 'options', 'directory', 'fsid'],
  IPaddr2: ['ip', 'cidr_netmask', 'nic'],
  nfsnotify: ['source_host'],
};
