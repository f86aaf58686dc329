import type { Env } from './call.ts';

/** Parameters that are valid as such and describe something that is not on this machine. */
export const validParams = {
  drbd: { OCF_RESKEY_drbd_resource: 'contract' },
  Filesystem: {
    OCF_RESKEY_device: '/dev/disk/by-label/contract-nowhere',
    OCF_RESKEY_directory: '/run/contract-nowhere',
    OCF_RESKEY_fstype: 'ext4',
  },
  IPaddr2: { OCF_RESKEY_ip: '192.0.2.77', OCF_RESKEY_cidr_netmask: '32' },
  nfsserver: { OCF_RESKEY_nfs_shared_infodir: '/run/contract-nowhere' },
  exportfs: {
    OCF_RESKEY_directory: '/run/contract-nowhere',
    OCF_RESKEY_clientspec: '192.0.2.0/24',
    OCF_RESKEY_fsid: '77',
  },
  nfsnotify: { OCF_RESKEY_source_host: '192.0.2.77' },
} satisfies Readonly<Record<string, Env>>;

export type AgentName = keyof typeof validParams;
export const agents = Object.keys(validParams) as readonly AgentName[];
