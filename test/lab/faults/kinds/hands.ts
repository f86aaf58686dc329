import { exportedFolder } from '../../cluster/configuration.ts';
import { serviceAddress } from '../../settings.ts';
import { anywhere, byShell, type Kind } from '../kind.ts';

const service = /^(NFS|nfs-\w+|nfs_ip) monitor$/;
const server = /^nfs-\w+ monitor$/;

const stays = true;

/** Where our agents keep it, and where it is elsewhere. */
const etabs = '/run/tsha-nfs/exports/etab /var/lib/nfs/etab';

/** Somebody does behind the cluster's back what only the cluster should do. */
export const handKinds: readonly Kind[] = [
  byShell({
    ...{ name: 'umount --lazy by hand', on: ['active'], explains: service, stays, errors: true, bound: 240 },
    shell: `umount --lazy ${exportedFolder}`,
  }),
  byShell({
    ...{ name: 'exportfs -u by hand', on: ['active'], explains: server, stays, errors: true },
    shell: `exportfs -u '*:${exportedFolder}'`,
  }),
  byShell({
    ...{ name: 'exportfs -ua by hand', on: ['active'], explains: server, stays, errors: true },
    shell: 'exportfs -ua',
  }),
  byShell({
    ...{ name: 'the address deleted by hand', on: ['active'], explains: /^nfs_ip monitor$/, stays },
    shell: `ip address del ${serviceAddress}/24 dev vec0`,
  }),
  byShell({ name: 'rpc.nfsd 0 by hand', on: ['active'], explains: server, stays, shell: 'rpc.nfsd 0' }),
  byShell({
    ...{
      name: 'nfs-server restarted by hand',
      on: ['active'],
      explains: server,
      stays,
      errors: true,
      fails: true,
    },
    // past the agent, so nobody withholds delegations from those who claim: without them until the next boot (docs/differences/nfsserver.md)
    shell: 'sysctl -q fs.leases-enable=0; systemctl restart nfs-server',
  }),
  byShell({
    ...{ name: 'nfs-server stopped by hand', on: ['active'], explains: server, stays, errors: true },
    shell: 'systemctl stop nfs-server',
  }),
  byShell({
    ...{ name: 'etab emptied', on: ['active'], explains: server, stays, errors: true },
    shell: `for etab in ${etabs}; do [ ! -e $etab ] || : > $etab; done`,
  }),
  byShell({
    // exportfs refuses a table that it cannot read: the other node serves then
    ...{
      name: 'etab full of nonsense',
      on: ['active'],
      explains: /^nfs-(root start|\w+ monitor)$/,
      stays,
      errors: true,
    },
    shell: `for etab in ${etabs}; do [ ! -e $etab ] || printf '/nowhere *(rw\\n\\001\\002)((\\n/nfsdata' > $etab; done`,
  }),
  byShell({
    ...{ name: 'drbdadm down by hand', on: ['standby'], explains: /^Data monitor$/, stays },
    shell: 'drbdadm down data',
  }),
  byShell({
    ...{
      name: 'drbdadm down of the Primary by hand',
      on: ['active'],
      fails: true,
      explains: /^Data monitor$/,
      stays,
    },
    shell: 'drbdadm down data',
  }),
  byShell({
    ...{ name: 'drbdadm disconnect by hand', on: anywhere, human: /STANDALONE/ },
    ...{ shell: 'drbdadm disconnect data', back: 'drbdadm connect data' },
  }),
  byShell({
    ...{
      name: 'drbdadm secondary and primary by hand',
      on: anywhere,
      fails: true,
      explains: /^Data monitor$/,
      stays,
    },
    // refused: the one is mounted, the other has a Primary beside it
    shell: 'drbdadm secondary data; drbdadm role data | grep -q ^Primary || drbdadm primary data',
  }),
  byShell({
    ...{
      name: 'drbdadm detach by hand',
      on: anywhere,
      explains: /^Data monitor$/,
      stays,
      human: /DISK_LOST/,
      bound: 240,
    },
    ...{ shell: 'drbdadm detach data', back: 'drbdadm attach data' },
  }),
  byShell({
    ...{
      name: 'drbdadm verify by hand',
      on: ['active'],
      fails: true,
      shell: 'drbdadm verify data; drbdadm pause-sync data; drbdadm resume-sync data',
    },
  }),
  byShell({
    ...{
      name: "the server's state directory unmounted by hand",
      on: ['active'],
      explains: service,
      stays,
      errors: true,
    },
    shell: 'umount --lazy /var/lib/nfs',
  }),
];
