/** Which process a unit leaves behind. */
export const unitProcess: Readonly<Record<string, string>> = {
  'rpcbind.service': 'rpcbind',
  'rpc-statd.service': 'rpc.statd',
  'nfs-mountd.service': 'rpc.mountd',
  'nfs-idmapd.service': 'rpc.idmapd',
  'nfsdcld.service': 'nfsdcld',
  'fsidd.service': 'fsidd',
};
/** Other names, on other systems, of units that do the same. */
export const roles: Readonly<Record<string, string>> = {
  'nfs-lock.service': 'rpc-statd.service',
  'nfs-idmap.service': 'nfs-idmapd.service',
  'nfsserver.service': 'nfs-server.service',
  'nfs-kernel-server.service': 'nfs-server.service',
};
/** What a unit starts by its own dependencies. */
export const pulledIn: Readonly<Record<string, readonly string[]>> = {
  'nfs-server.service': ['nfs-mountd.service', 'nfs-idmapd.service', 'nfsdcld.service', 'rpc-statd.service'],
};

/** What nfsd and lockd begin with. */
export const kernelNumbers: Readonly<Record<string, number>> = {
  '/proc/fs/nfsd/nfsv4leasetime': 90,
  '/proc/fs/nfsd/nfsv4gracetime': 90,
  '/proc/sys/fs/nfs/nlm_grace_period': 0,
  '/proc/sys/fs/nfs/nlm_timeout': 10,
  '/proc/sys/fs/nfs/nlm_tcpport': 0,
  '/proc/sys/fs/nfs/nlm_udpport': 0,
};
