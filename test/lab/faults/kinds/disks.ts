import { exportedFolder } from '../../cluster/configuration.ts';
import { failDisk, holdDisk, mendDisk, releaseDisk } from '../../cluster/disk.ts';
import { anywhere, byShell, type Kind } from '../kind.ts';

const released = `${releaseDisk}; ${mendDisk}; dmsetup remove held`;

/** Below DRBD: disks fail and hang. Above it: the filesystem is full, read-only, shut. Beside it: the node's own memory disk is full. */
export const diskKinds: readonly Kind[] = [
  byShell({
    ...{ name: 'disk failing', on: anywhere, bound: 240, explains: /^Data monitor$/, human: /DISK_LOST/ },
    ...{ shell: failDisk, back: `${mendDisk} && drbdadm attach data` },
  }),
  byShell({
    ...{
      name: 'disk hanging',
      on: anywhere,
      bound: 240,
      explains: /^(Data|NFS|nfs-\w+) monitor$/,
      fences: true,
    },
    ...{ shell: holdDisk, for: [4, 20], back: released },
  }),
  byShell({
    ...{ name: 'filesystem full', on: ['active'], errors: true },
    shell: `cat /dev/zero > ${exportedFolder}/filling; sync`,
    ...{ for: [5, 20], back: `rm ${exportedFolder}/filling` },
  }),
  byShell({
    ...{ name: 'filesystem read-only', on: ['active'], errors: true, explains: /^(NFS|nfs-\w+) monitor$/ },
    shell: `mount -o remount,ro,force ${exportedFolder} || xfs_freeze -f ${exportedFolder}`,
    ...{ for: [5, 20], back: `xfs_freeze -u ${exportedFolder}; mount -o remount,rw ${exportedFolder}` },
  }),
  byShell({
    ...{ name: 'filesystem frozen', on: ['active'], explains: /^(NFS|nfs-\w+) monitor$/ },
    ...{ shell: `xfs_freeze -f ${exportedFolder}`, for: [3, 15], back: `xfs_freeze -u ${exportedFolder}` },
  }),
  byShell({
    ...{ name: '/run full', on: anywhere, fails: true, explains: /^(NFS|nfs-\w+|nfs_ip|Data) monitor$/ },
    shell: 'cat /dev/zero > /run/filling',
    ...{ for: [10, 25], back: 'rm /run/filling' },
  }),
];
