import type { Host } from '../host.ts';
import type { Mount } from '../storage/mounts.ts';
import { holdsState } from './exports.ts';

const clients = '/proc/fs/nfsd/clients';

/**
 * The clients of this machine's NFS server that keep a filesystem busy, one phrase per protocol: their open files, locks and
 * delegations outlive the export itself.
 */
export async function nfsClientsOn(host: Host, { device }: Mount): Promise<readonly string[]> {
  const holders: string[] = [];
  for (const id of await host.sys.list(clients).catch(() => [])) {
    const read = (file: string) => host.sys.read(`${clients}/${id}/${file}`).catch(() => ''); // it may leave meanwhile
    if (holdsState(await read('states'), device))
      holders.push(/^address: "(.*):\d+"$/m.exec(await read('info'))?.[1] ?? `number ${id}`);
  }
  return [
    ...(holders.length > 0 ? [`NFSv4 clients hold files open: ${[...new Set(holders)].join(', ')}`] : []),
    ...((await hasLockdLocks(host, device)) ? ['NFSv3 clients hold locks'] : []),
  ];
}

/** /proc/locks: `1: POSIX ADVISORY WRITE <pid> <major>:<minor>:<inode> …`, the device in hexadecimal. */
async function hasLockdLocks(host: Host, device: string): Promise<boolean> {
  const hex = device
    .split(':')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join(':');
  const table = await host.sys.read('/proc/locks').catch(() => '');
  const pids = [...table.matchAll(/ (\d+) (\w+:\w+):\d+ /g)]
    .filter(([, , place]) => place === hex)
    .map(([, pid]) => pid);
  for (const pid of new Set(pids))
    if ((await host.sys.read(`/proc/${pid}/comm`).catch(() => '')).trim() === 'lockd') return true;
  return false;
}
