import type { Host } from '../host.ts';
import { readIfThere } from '../local-files.ts';
import type { Mount } from '../storage/mounts.ts';

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
  const hex = hexOf(device);
  const table = await host.sys.read('/proc/locks').catch(() => '');
  const pids = [...table.matchAll(/ (\d+) (\w+:\w+):\d+ /g)]
    .filter(([, , place]) => place === hex)
    .map(([, pid]) => pid);
  for (const pid of new Set(pids))
    if ((await host.sys.read(`/proc/${pid}/comm`).catch(() => '')).trim() === 'lockd') return true;
  return false;
}

/** Seconds that an NFSv4 client may stay silent before its state is given up. */
export async function leaseSeconds(host: Host): Promise<number | undefined> {
  const text = await host.sys.read('/proc/fs/nfsd/nfsv4leasetime').catch(() => '');
  return /^\d+\s*$/.test(text) ? Number.parseInt(text, 10) : undefined;
}

/**
 * How many NFSv4 clients hold opens, locks, delegations or layouts on the superblock; `undefined` where the kernel (before
 * 5.3) does not tell.
 */
export async function clientsHolding(host: Host, device: string): Promise<number | undefined> {
  const ids = await host.sys.list(clients).catch(() => undefined);
  if (!ids) return undefined;
  const states = await Promise.all(
    ids.map(async (id) => (await readIfThere(host, `${clients}/${id}/states`)) ?? ''), // a client may leave meanwhile
  );
  return states.filter((text) => holdsState(text, device)).length;
}

/** nfsd names the superblock before the inode: `superblock: "fd:01:4711"`. */
export const holdsState = (states: string, device: string): boolean =>
  states.includes(`superblock: "${hexOf(device)}:`);

/** mountinfo's decimal `253:1` as `fd:01`, the way nfsd and /proc/locks write it. */
const hexOf = (device: string): string =>
  device
    .split(':')
    .map((number) => Number(number).toString(16).padStart(2, '0'))
    .join(':');
