import { Failure } from '../../contract/outcome.ts';
import { wordsOf } from '../../contract/reason.ts';
import type { Host } from '../host.ts';
import { isAbsence, isThere, listIfThere, readIfThere } from '../local-files.ts';
import type { Mount } from '../storage/mounts.ts';
import { parseStat } from '../sys/process-stat.ts';

const clients = '/proc/fs/nfsd/clients';

/**
 * The clients of this machine's NFS server that keep a filesystem busy, one phrase per protocol: their open files, locks and
 * delegations outlive the export itself.
 */
export async function nfsClientsOn(host: Host, { device }: Mount): Promise<readonly string[]> {
  const holders: string[] = [];
  for (const id of await listIfThere(host, clients))
    if (holdsState(await ofClient(host, id, 'states'), device))
      holders.push(/^address: "(.*):\d+"$/m.exec(await ofClient(host, id, 'info'))?.[1] ?? `number ${id}`);
  return [
    ...(holders.length > 0 ? [`NFSv4 clients hold files open: ${[...new Set(holders)].join(', ')}`] : []),
    ...((await hasLockdLocks(host, device)) ? ['NFSv3 clients hold locks'] : []),
  ];
}

/** A file that nfsd has of a client; empty for one that has left meanwhile, whose files answer ENXIO as long as they are there. */
async function ofClient(host: Host, id: string, file: 'states' | 'info'): Promise<string> {
  try {
    return await host.sys.read(`${clients}/${id}/${file}`);
  } catch (error) {
    if (isAbsence(error) || (error as NodeJS.ErrnoException).code === 'ENXIO') return '';
    throw new Failure('failed', `cannot look at ${clients}/${id}/${file}: ${wordsOf(error)}`, {
      cause: error,
    });
  }
}

/** /proc/locks: `1: POSIX ADVISORY WRITE <pid> <major>:<minor>:<inode> …`, the device in hexadecimal. */
async function hasLockdLocks(host: Host, device: string): Promise<boolean> {
  const hex = hexOf(device);
  const table = (await readIfThere(host, '/proc/locks')) ?? '';
  const pids = [...table.matchAll(/ (\d+) (\w+:\w+):\d+ /g)]
    .filter(([, , place]) => place === hex)
    .map(([, pid]) => pid);
  for (const pid of new Set(pids)) {
    const stat = (await readIfThere(host, `/proc/${pid}/stat`)) ?? '';
    if (stat.includes('(lockd)') && parseStat(stat)?.isKernelThread) return true;
  }
  return false;
}

/**
 * Seconds that an NFSv4 client may stay silent before its state is given up. By a child: the kernel has whoever reads it wait for the mutex
 * that a shutdown with a dead disk below it never gives back.
 */
export async function leaseSeconds(host: Host): Promise<number | undefined> {
  const { stdout } = await host.tryRun(['cat', '/proc/fs/nfsd/nfsv4leasetime'], { timeoutMs: 3000 });
  return /^\d+\s*$/.test(stdout) ? Number.parseInt(stdout, 10) : undefined;
}

/**
 * How many NFSv4 clients hold opens, locks, delegations or layouts on the superblock; `undefined` where the kernel (before
 * 5.3) does not tell.
 */
export async function clientsHolding(host: Host, device: string): Promise<number | undefined> {
  if (!(await isThere(host, clients))) return undefined;
  const ids = await listIfThere(host, clients);
  const states = await Promise.all(ids.map((id) => ofClient(host, id, 'states')));
  return states.filter((text) => holdsState(text, device)).length;
}

/** A client of NFSv4.0, as the kernel knows it. */
export type OldClient = {
  /** Of its directory; another one once the client has begun anew. */
  readonly id: string;
  /** Its own name for itself, in hexadecimal. */
  readonly name: string;
  /** `confirmed`, `courtesy` once its lease is over and nobody has asked for what it holds (Linux 5.19), … */
  readonly status: string;
  /** Seconds since its lease was renewed; `undefined` before Linux 5.19. */
  readonly silentFor: number | undefined;
};

/**
 * The clients of NFSv4.0; none where the kernel (before 5.3) does not tell.
 *
 *     address: "10.77.0.30:829"
 *     status: confirmed
 *     seconds from last renew: 3
 *     name: "Linux NFSv4.0 client\x2f10.77.0.20"
 *     minor version: 0
 */
export async function oldClients(host: Host): Promise<readonly OldClient[]> {
  const found: OldClient[] = [];
  for (const id of await listIfThere(host, clients)) {
    const info = await ofClient(host, id, 'info');
    if (!/^minor version: 0$/m.test(info)) continue;
    const quoted = /^name: "(.*)"$/m.exec(info)?.[1] ?? '';
    const silent = /^seconds from last renew: (\d+)$/m.exec(info)?.[1];
    found.push({
      id,
      name: unquoted(quoted).toString('hex'),
      status: /^status: (\w+)$/m.exec(info)?.[1] ?? '',
      silentFor: silent === undefined ? undefined : Number(silent),
    });
  }
  return found;
}

/** Of what seq_quote_mem() of the kernel writes: what is no printable ASCII, and the two of its own, as `\x2f`. */
const unquoted = (text: string): Buffer =>
  Buffer.from(
    text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );

/** Whether a client holds anything: an open file, a lock, a delegation. */
export const holdsAnything = async (host: Host, id: string): Promise<boolean> =>
  /\btype: (?:open|lock|deleg)/.test(await ofClient(host, id, 'states'));

/** nfsd names the superblock before the inode: `superblock: "fd:01:4711"`. */
export const holdsState = (states: string, device: string): boolean =>
  states.includes(`superblock: "${hexOf(device)}:`);

/** mountinfo's decimal `253:1` as `fd:01`, the way nfsd and /proc/locks write it. */
const hexOf = (device: string): string =>
  device
    .split(':')
    .map((number) => Number(number).toString(16).padStart(2, '0'))
    .join(':');
