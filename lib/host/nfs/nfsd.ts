import type { Host } from '../host.ts';
import { readIfThere } from '../local-files.ts';
import { type ProcessIdentity, processIds } from '../process-table.ts';
import { parseStat } from '../sys/process-stat.ts';

/**
 * The threads of the kernel's NFS server; 0 when the module is not loaded. /proc/fs/nfsd/threads would say it too, but reading
 * it waits, uninterruptibly, for the mutex that a shutdown with a dead disk below it never gives back. The statistics do not.
 */
export async function nfsdThreads(host: Host): Promise<number> {
  const counted = parseThreads((await readIfThere(host, '/proc/net/rpc/nfsd')) ?? '');
  if (counted !== undefined) return counted;
  return Number(((await readIfThere(host, '/proc/fs/nfsd/threads')) ?? '0').trim());
}

/**
 * /proc/net/rpc/nfsd: how many threads there are now (1). The rest of the line is history since Linux 2.6.30.
 *
 *     th 8 0 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000
 *       (1)
 */
export function parseThreads(text: string): number | undefined {
  const count = /^th (\d+)/m.exec(text)?.[1];
  return count === undefined ? undefined : Number(count);
}

/** When the oldest of the threads began, in ticks since boot: what tells this server from one before it. */
export const nfsdBegun = async (host: Host): Promise<number | undefined> =>
  (await oldestThread(host))?.startTime;

export async function oldestThread(host: Host): Promise<ProcessIdentity | undefined> {
  let first: ProcessIdentity | undefined;
  for (const pid of await processIds(host)) {
    const text = (await readIfThere(host, `/proc/${pid}/stat`)) ?? '';
    const stat = text.includes('(nfsd)') ? parseStat(text) : undefined;
    if (stat?.isKernelThread && (first === undefined || stat.startTime < first.startTime))
      first = { pid, startTime: stat.startTime };
  }
  return first;
}
