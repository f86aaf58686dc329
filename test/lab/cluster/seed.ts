import { type AgentName, type Argv, agentType, type NfsStack } from '../../../cli/stack.ts';
import { serviceAddress } from '../settings.ts';

/**
 * The configuration of the tutorial that this project began with (docs/seed.md), as near as today's pcs takes it: the address first and
 * not after the promotion, the state directory in the export, one monitor for both roles, no fencing. Only whose agents they are is
 * chosen.
 */
export function seedCommands(provider: NfsStack['provider']): readonly Argv[] {
  const create = (id: string, agent: AgentName, ...words: string[]): Argv => [
    ...['resource', 'create', id, agentType(agent, provider)],
    ...words,
  ];
  const withPromoted = (id: string): Argv =>
    `constraint colocation add ${id} with Promoted DataClone score=INFINITY`.split(' ');
  const clone = 'promoted-max=1 promoted-node-max=1 clone-max=2 clone-node-max=1 notify=true';
  return [
    create('Data', 'drbd', 'drbd_resource=data', 'op', 'monitor', 'interval=60s'),
    ['resource', 'promotable', 'Data', 'DataClone', ...clone.split(' ')],
    create('NFS', 'Filesystem', 'device=/dev/drbd1', 'directory=/nfsdata', 'fstype=xfs'),
    withPromoted('NFS'),
    ['constraint', 'order', 'promote', 'DataClone', 'then', 'start', 'NFS'],
    create('nfs_ip', 'IPaddr2', `ip=${serviceAddress}`, 'cidr_netmask=24'),
    withPromoted('nfs_ip'),
    ['resource', 'group', 'add', 'nfsshare', 'nfs_ip', 'NFS'],
    create('nfs-daemon', 'nfsserver', 'nfs_shared_infodir=/nfsdata', 'nfs_no_notify=true'),
    ['resource', 'group', 'add', 'nfsshare', 'nfs-daemon'],
    create('nfs-root', 'exportfs', ...exported.split(' ')),
    ['resource', 'group', 'add', 'nfsshare', 'nfs-root'],
    create('nfs-notify', 'nfsnotify', `source_host=${serviceAddress}`),
    ['resource', 'group', 'add', 'nfsshare', 'nfs-notify'],
  ];
}

const exported = 'clientspec=* options=rw,sync,no_root_squash directory=/nfsdata fsid=0';
