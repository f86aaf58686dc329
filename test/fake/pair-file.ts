import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The file of the pair that was captured in the lab, but for what it exports and for its grace time. */
export const pairFile = `version: 1
name: nfs
nodes: { node1: { replication: 10.77.1.11 }, node2: { replication: 10.77.1.12 } }
drbd: { resource: data, device: /dev/drbd1, disk: /dev/vdb }
filesystem: { directory: /srv/nfs }
address: { ip: 10.77.0.20/24 }
nfs: { lease: 15s, grace: 15s }
exports: [{ directory: /srv/nfs/home, clients: ["*"], options: "rw,sync,no_root_squash", fsid: 0, ids: [nfs-root] }]
ids: { group: nfsshare, clone: DataClone, drbd: Data, filesystem: NFS, server: nfs-daemon, address: nfs_ip, notify: nfs-notify }
`;

/** Written into a folder; its path. */
export function pairFileIn(folder: string, text = pairFile): string {
  const path = join(folder, 'tsha.yaml');
  writeFileSync(path, text);
  return path;
}
