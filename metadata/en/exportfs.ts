import type { params } from '../../agents/exportfs/params.ts';
import type { EnglishProse } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  long: `
Exports one or several directories to one client by the kernel's NFS server, with exportfs. It does not manage the server itself: put
nfsserver before it in the group, and the address clients use after it. With the address last, clients only wait during a failover; with
the address first they may get errors while the export is not there.

A resource counts as running when etab lists every one of its directories for its client and this node's NFS server runs; an etab that
outlived a crash, or came from the other node with a shared state directory, proves nothing. A healthy monitor asks neither DNS nor any
command. Stop removes every matching entry, makes the kernel forget it, and releases the clients' locks, so that the filesystem can be
unmounted.`,
  params: {
    clientspec: `
One client as exportfs(8) takes it: a host name, an address, a network as 10.0.0.0/24 or 10.0.0.0/255.255.255.0, a name with wildcards,
@netgroup, or * for everybody. An IPv6 address may stand in brackets or not. For several clients of one directory make several resources.`,
    options: `
Export options as exportfs(8) takes them with -o, for example "rw,sync,no_root_squash". When unset exportfs' defaults apply. Changed
options are applied without a restart; a changed fsid is not, because clients would lose their files: use the parameter fsid for it.`,
    directory: `
The directory to export, as absolute path, or several, separated by blanks. A blank inside a name is written as "\\040" in a list; a single
directory may be written as it is. Symbolic links of root are
followed; those on an exported filesystem only as long as they stay on it.`,
    fsid: `
The id by which clients know the filesystem: a number, a UUID, or "root" (the same as 0), which makes the directory the root of the NFSv4
namespace. It must be the same on every node; when unset the filesystem's UUID serves, which is so on replicated storage. Several
directories count on from the given number. It wins over an fsid in options.`,
    unlock_on_stop: `
Release the locks that clients hold on the filesystem when the export stops; from Linux 6.9 on NFSv4 opens and locks as well. Otherwise
they may keep the filesystem busy. While another export of the same filesystem remains nothing is released: its clients would lose their
locks without knowing. Nor is anything released where nfsd's state directory is on the exported filesystem (nfs_shared_infodir): nfsd then
ends before the filesystem goes, and clients reclaim their locks on the next node.`,
    wait_for_leasetime_on_stop: `
Wait on stop until no NFSv4 client holds anything on the filesystem, at most the lease time and two seconds, and never beyond the timeout
of the stop operation. Not needed where nfsserver stops next.`,
    rmtab_backup: `
File below each exported directory where the entries of rmtab, the list of NFSv3 mounts, are kept for the next node. "none" keeps nothing.
Nor is it needed, and written, where rmtab itself is on the exported filesystem (a shared state directory).`,
    ...traceProse,
  },
} satisfies EnglishProse<typeof params>;
