import type { Host } from '../host.ts';
import { readIfThere } from '../local-files.ts';

/**
 * The threads of the kernel's NFS servers in all network namespaces (`ownThreads` knows this one's); 0 when the module is not loaded.
 * /proc/fs/nfsd/threads would say it too, but reading it waits, uninterruptibly, for the mutex that a shutdown with a dead disk below it
 * never gives back. The statistics do not.
 */
export async function nfsdThreads(host: Host): Promise<number> {
  return (await countedThreads(host)) ?? (await threadsAsked(host));
}

/** By the statistics; `undefined` where the kernel has none. */
export const countedThreads = async (host: Host): Promise<number | undefined> =>
  parseThreads((await readIfThere(host, '/proc/net/rpc/nfsd')) ?? '');

/** By nfsd itself, of this network namespace. */
export const threadsAsked = async (host: Host): Promise<number> =>
  Number(((await readIfThere(host, '/proc/fs/nfsd/threads')) ?? '0').trim());

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
