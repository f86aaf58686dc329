import { anywhere, byShell, type Kind } from '../kind.ts';

const daemons = ['rpc.statd', 'rpc.mountd', 'nfsdcld', 'rpc.idmapd'] as const;
const explains = /^nfs-(daemon|notify) monitor$/;
const stays = true;
/** Asleep in a call, a frozen one is not told from a busy one at once. */
const frozenFor = [3, 25] as const;

/** What stands around the kernel's NFS server dies, stands still, or is stopped by systemd. */
export const helperKinds: readonly Kind[] = [
  ...daemons.map((name) =>
    byShell({ name: `${name} killed`, on: ['active'], explains, stays, shell: `pkill -KILL -x ${name}` }),
  ),
  ...daemons.map((name) =>
    byShell({
      ...{ name: `${name} frozen`, on: ['active'], explains, stays },
      ...{ shell: `pkill -STOP -x ${name}`, for: frozenFor, back: `pkill -CONT -x ${name}` },
    }),
  ),
  byShell({ name: 'rpcbind killed', on: anywhere, stays, explains, shell: 'pkill -KILL -x rpcbind' }),
  byShell({
    ...{
      name: 'rpcbind frozen',
      on: anywhere,
      stays,
      explains: /^nfs-(daemon|notify) (monitor|start|stop)$/,
    },
    ...{ shell: 'pkill -STOP -x rpcbind', for: frozenFor, back: 'pkill -CONT -x rpcbind' },
  }),
  byShell({
    ...{ name: 'all helpers killed at once', on: ['active'], explains, stays },
    shell: `pkill -KILL -x '${daemons.join('|')}|rpcbind'`,
  }),
  byShell({
    // nfs-server requires nfs-mountd: it is stopped with it, and exports nothing
    ...{
      name: 'units of the server stopped by hand',
      on: ['active'],
      explains: /^nfs-\w+ monitor$/,
      stays,
      fails: true,
    },
    shell: 'systemctl stop nfs-mountd rpc-statd nfsdcld nfs-idmapd',
  }),
];
