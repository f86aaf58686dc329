import { paramTable } from '../../lib/contract/params.ts';
import type { Context } from '../../lib/ocf/agent.ts';
import { traceParams } from '../../lib/ocf/trace.ts';

const port = { type: 'integer', min: 1, max: 65535 } as const;

export const params = paramTable({
  nfs_shared_infodir: {
    type: 'string',
    short: 'Directory on the failover filesystem for the state of the NFS server, mounted over /var/lib/nfs',
  },
  nfs_server_scope: {
    type: 'string',
    short: 'NFSv4.1 server scope, the same on all nodes; one is made up and kept in nfs_shared_infodir',
  },
  nfs_ip: {
    type: 'string',
    short: 'Addresses of the service, comma separated: lock notifications come from these',
  },
  nfs_no_notify: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Do not notify NFSv3 clients at the end of start; tsha:nfsnotify does it later',
  },
  nfs_notify_foreground: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Start waits until every NFSv3 client has confirmed the notification',
  },
  nfs_smnotify_retry_time: {
    type: 'integer',
    min: 0,
    reloadable: true,
    short: 'Minutes to repeat a lock notification that is not confirmed; 15 when unset, 0 for ever',
  },
  nfsv4_only: {
    type: 'boolean',
    default: false,
    short: 'Serve NFSv4 only: leave rpcbind, rpc.statd and lock notifications out',
  },
  rpcpipefs_dir: {
    type: 'string',
    default: '/var/lib/nfs/rpc_pipefs',
    short: 'Mount point of rpc_pipefs; a pipefs-directory in nfs.conf wins over the default',
  },
  nfs_init_script: {
    type: 'string',
    short: 'Init script of the NFS server; ignored under systemd',
  },
  nfs_lease_time: {
    type: 'integer',
    min: 10,
    max: 240,
    short: 'Seconds after which an NFSv4 client that is silent loses its locks; nfs.conf or 90 when unset',
  },
  nfs_grace_time: {
    type: 'integer',
    min: 10,
    max: 240,
    reloadable: true,
    short:
      'Seconds after a start in which clients claim their locks and others wait; nfs.conf or 90 when unset',
  },
  lockd_grace_time: {
    type: 'integer',
    min: 10,
    max: 240,
    reloadable: true,
    short: 'Seconds after a start in which NFSv3 clients claim their locks; that of nfsd when unset',
  },
  nfsd_args: { type: 'string', short: 'Arguments for rpc.nfsd, such as a number of threads' },
  lockd_udp_port: { ...port, short: 'UDP port of the lock manager' },
  lockd_tcp_port: { ...port, short: 'TCP port of the lock manager' },
  statd_outgoing_port: { ...port, short: 'Source port of lock notifications' },
  statd_port: { ...port, short: 'Port of rpc.statd' },
  mountd_port: { ...port, short: 'Port of rpc.mountd' },
  rquotad_port: { ...port, short: 'Port of rpc.rquotad, which then runs while the server does' },
  nfs_notify_cmd: { type: 'string', short: 'Accepted for old configurations and checked; not used' },
  ...traceParams,
});

export type Ctx = Context<typeof params>;
