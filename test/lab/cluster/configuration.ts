import { isStock, type Order, type Provider, serviceAddress } from '../settings.ts';

/** The resources of the cluster by what they do; the ids are the tutorial's. */
export const resourceIds = {
  drbd: 'Data',
  Filesystem: 'NFS',
  nfsserver: 'nfs-daemon',
  exportfs: 'nfs-root',
  IPaddr2: 'nfs_ip',
  nfsnotify: 'nfs-notify',
} as const;
export type AgentName = keyof typeof resourceIds;
export const agentNames = Object.keys(resourceIds) as AgentName[];

const drbdClone = 'DataClone';
export const exportedFolder = '/nfsdata';
export const drbdDevice = '/dev/drbd1';

export function agentType(agent: AgentName, provider: Provider): string {
  if (!isStock(provider)) return `ocf:tsha:${agent}`;
  return agent === 'drbd' ? 'ocf:linbit:drbd' : `ocf:heartbeat:${agent}`;
}

export const parameters: Record<AgentName, string[]> = {
  drbd: ['drbd_resource=data'],
  Filesystem: [`device=${drbdDevice}`, `directory=${exportedFolder}`, 'fstype=xfs'],
  nfsserver: [`nfs_shared_infodir=${exportedFolder}`, 'nfs_no_notify=true'],
  exportfs: ['clientspec=*', 'options=rw,sync,no_root_squash', `directory=${exportedFolder}`, 'fsid=0'],
  IPaddr2: [`ip=${serviceAddress}`, 'cidr_netmask=24'],
  nfsnotify: [`source_host=${serviceAddress}`],
};

const monitors: Record<AgentName, string[]> = {
  drbd: ['op monitor interval=20s role=Promoted', 'op monitor interval=30s role=Unpromoted'],
  Filesystem: ['op monitor interval=20s'],
  nfsserver: ['op monitor interval=30s'],
  exportfs: ['op monitor interval=30s'],
  IPaddr2: ['op monitor interval=30s'],
  nfsnotify: ['op monitor interval=30s'],
};

/** With the address up before the export is there, clients see errors; the address last, they only wait. */
const groups: Record<Order, AgentName[]> = {
  recommended: ['Filesystem', 'nfsserver', 'exportfs', 'IPaddr2', 'nfsnotify'],
  seed: ['IPaddr2', 'Filesystem', 'nfsserver', 'exportfs', 'nfsnotify'],
};

export const createCommand = (agent: AgentName, provider: Provider): string[] => [
  ...['resource', 'create', resourceIds[agent], agentType(agent, provider)],
  ...parameters[agent],
  ...monitors[agent].flatMap((operation) => operation.split(' ')),
];

/** The tutorial's cluster as arguments of `pcs`, in the forms that mean the same to pcs 0.11 and 0.12. */
export function pcsCommands(provider: Provider, order: Order): string[][] {
  const create = (agent: AgentName): string[] => createCommand(agent, provider);
  const group = groups[order];
  const clone = ['promoted-max=1', 'promoted-node-max=1', 'clone-max=2', 'clone-node-max=1', 'notify=true'];
  return [
    // no fencing device in this lab; dc-deadtime saves 15 s of the first election
    ['property', 'set', 'stonith-enabled=false', 'dc-deadtime=5s'],
    ['resource', 'defaults', 'update', 'resource-stickiness=100', 'migration-threshold=3'],
    create('drbd'),
    ['resource', 'promotable', resourceIds.drbd, drbdClone, ...clone],
    ...group.map(create),
    ['resource', 'group', 'add', 'nfsshare', ...group.map((agent) => resourceIds[agent])],
    ['constraint', 'colocation', 'add', 'nfsshare', 'with', 'Promoted', drbdClone, 'score=INFINITY'],
    ['constraint', 'order', 'promote', drbdClone, 'then', 'start', 'nfsshare'],
  ];
}
