import type { params } from '../../agents/nfsserver/params.ts';
import type { EnglishProse } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  long: `
Runs the kernel's NFS server and its helper daemons (rpc.mountd, rpc.idmapd, nfsdcld, rpc.statd, fsidd) through systemd, or through an
init script where there is no systemd, with the state that clients depend on kept on the failover filesystem: which clients hold
locks, and what they may claim again after a failover. There is one kernel NFS server per machine, so one resource of this type per
node; a second one is refused.

In a group it belongs after the Filesystem and before the exportfs resources: starting nfs-server.service drops every export that is
not in /etc/exports, and stopping it drops all. The service's address comes after the exports, and tsha:nfsnotify last.

nfs-server.service must not be enabled at boot on any node. Whatever init scripts, enabled helper services and open files a
distribution leaves on /var/lib/nfs, no drop-in and no masked unit is needed: helpers that run before the state directory is in place
are restarted on it, and helpers that hold it are ended when it leaves. rpcbind is started if needed and never stopped.

The monitor reads /proc and executes nothing. With OCF_CHECK_LEVEL=10 it also asks nfsd, rpc.mountd and rpc.statd for an answer, each
within 5 seconds, and with 20 nfsd through every address of nfs_ip that is on this machine.`,
  params: {
    nfs_shared_infodir: `
Directory on the failover filesystem that is mounted over /var/lib/nfs while the server runs, so that locks survive a failover. It is
created if need be, and may be the exported directory itself, though a directory beside it keeps the server's files out of the clients'
sight. When unset, /var/lib/nfs stays as it is: mount the failover filesystem there, or lose all locks at every failover.`,
    nfs_server_scope: `
The scope that NFSv4.1 and later clients are told, as a name of up to 64 letters, digits, dots, colons, hyphens and underscores. It
must be the same on every node: a Linux client that finds another scope after a failover gives up its locks, and programs that hold one
get input/output errors. When unset, a name is made up once and kept in the file server-scope in nfs_shared_infodir, where every node finds
it; without nfs_shared_infodir the kernel uses the node's name, and locks of NFSv4.1 clients do not survive. A scope in /etc/nfs.conf is
respected. nfs-utils 2.6.3 and later get it through a file in /etc/nfs.conf.d, older ones through a systemd drop-in below /run.`,
    nfs_ip: `
Comma separated addresses that clients mount from. Lock notifications are sent from each of them, and check level 20 asks them. An address that is not on this machine
yet when the server starts is left out with a warning: put tsha:nfsnotify after the address instead.`,
    nfs_no_notify: `
Do not notify NFSv3 clients at the end of start. Set it when a tsha:nfsnotify resource does so as the last member of the group, when
the exports and the address are there: clients that are told earlier cannot claim their locks yet.`,
    nfs_notify_foreground: `
Let start wait until every NFSv3 client has confirmed the notification, or its time is nearly over. By default clients that do not answer
at once are told again in the background.`,
    nfs_smnotify_retry_time: `
For how many minutes a client that does not confirm the notification is told again; 15 when unset, 0 means for ever.`,
    nfsv4_only: `
Serve NFSv4 only: NFSv3 is switched off while the server runs, and rpcbind, rpc.statd and lock notifications are neither started nor
watched. Mask rpcbind and rpc-statd if nothing else needs them. A vers3=n in /etc/nfs.conf alone has the same effect.`,
    rpcpipefs_dir: `
Where the rpc_pipefs filesystem is mounted. As long as it has its default, a pipefs-directory in /etc/nfs.conf (Debian: /run/rpc_pipefs) is
used instead and nothing is mounted below /var/lib/nfs.`,
    nfs_init_script: `
Init script of the NFS server on machines whose first process is not systemd; under systemd it is ignored. When unset, the first of
/etc/init.d/nfsserver, /etc/init.d/nfs and /etc/init.d/nfs-kernel-server that can be executed. Helpers that the script leaves out (rpc.statd
always) are started by the agent.`,
    nfs_lease_time: `
For how many seconds a silent NFSv4 client keeps its locks and open files, 10 to 240. When unset, lease-time of /etc/nfs.conf or the
kernel's 90. Short ones let a dead client's locks go sooner; clients send a sign of life more often. After a change the first grace
period is as long as the lease that clients still know.`,
    nfs_grace_time: `
For how many seconds after a start clients claim the locks that they had before, 10 to 240, NFSv3 and NFSv4 alike unless lockd_grace_time says
otherwise; new locks and NFSv4's opens wait so long. When unset, grace-time of /etc/nfs.conf or the kernel's 90 (50 for NFSv3). It cannot be shorter than the lease: an idle client
would notice the restart too late and lose its locks. With nfsdcld the kernel ends the NFSv4 part by itself as soon as every client
of version 4.1 or later has claimed what it had. A change counts from the next start on.`,
    lockd_grace_time: `
For how many seconds after a start NFSv3 clients claim their locks, 10 to 240: nfs_grace_time for the kernel's lock manager alone. NFSv3 knows no
lease: its clients claim what they had as soon as they are told of the start, within about a second. While one of them is on record, new locks
wait that long, those of NFSv4 too. The kernel rounds up to the next multiple of nlm_timeout, 10 seconds: 11 are 20. With 10 everybody who is
told in time must be there within 10 seconds of the server's start; take 20 where clients are far away or many. When unset,
that of nfsd, where one is set, else the kernel's 50. Where nfsdctl (nfs-utils 2.8.4, Linux 6.15) has given lockd another one since the node was
booted, as it does without this parameter, that stays until the next boot, and start says so.`,
    nfsd_args: `
Arguments for rpc.nfsd: a number of threads, and the options for ports, hosts, protocol versions, transports, grace and lease time. They
are given to nfs.conf while the server runs, or to /etc/sysconfig/nfs on systems that have no nfs.conf.`,
    lockd_udp_port: `
UDP port of the kernel's lock manager, for firewalls; any free one when unset. Set while the server runs, as are all ports.`,
    lockd_tcp_port: `
TCP port of the kernel's lock manager, for firewalls; any free one when unset.`,
    statd_outgoing_port: `
UDP port that rpc.statd and lock notifications send from; a free one below 1024 when unset.`,
    statd_port: `
Port that rpc.statd listens on, for firewalls; any free one when unset.`,
    mountd_port: `
Port that rpc.mountd listens on, for firewalls; any free one when unset.`,
    rquotad_port: `
Port that rpc.rquotad of the package quota listens on. When set, it runs on this port while the NFS server does, in place of the
distribution's own service.`,
    nfs_notify_cmd: `
The program that old configurations name for lock notifications. It must be there, and be sm-notify or rpc.statd. It is not used: the agent
sends the notifications itself.`,
    ...traceProse,
  },
} satisfies EnglishProse<typeof params>;
