import type { Host } from '../host.ts';

const rpc = '/proc/net/rpc';

/**
 * mountd's answers in the order in which the kernel uses them: an address names a client, a file handle an export, the export its
 * options. Flushed in this order, since the answer to a new question must not lead on to an old one.
 */
const flushFiles = ['auth.unix.ip', 'auth.unix.gid', 'nfsd.fh', 'nfsd.export'].map(
  (cache) => `${rpc}/${cache}/flush`,
);

/**
 * Makes the kernel forget every answer of mountd's: what clients still may use, it asks again. A child does it: flushing
 * nfsd.fh waits, uninterruptibly, for a shutdown of nfsd. A flush `now` may leave the filesystem busy for a while.
 */
export async function flushKernelExports(host: Host, timeoutMs: number, when?: 'now'): Promise<void> {
  if (when !== 'now') await host.sys.sleep(Math.min(timeoutMs, await untilFlushCounts(host)));
  // 4.16 and later ignore the time; earlier kernels drop what is older than it
  const input = `${Math.floor(Date.now() / 1000) + 1}\n`;
  await host.tryRun(['tee', ...flushFiles], { input, timeoutMs });
}

/**
 * Milliseconds until a flush frees what it makes invalid. The kernel (Linux 4.16 to at least 7.2) dates a flush within the same second
 * as the last one a second ahead. Its entries answer nobody from then on, but keep their filesystem busy until the kernel's cleaner
 * comes by, up to half a minute later. A flush in a later second frees at once.
 */
async function untilFlushCounts(host: Host): Promise<number> {
  const last = Number.parseInt(await host.sys.read(`${rpc}/nfsd.export/flush`).catch(() => ''), 10); // seconds since 1970
  return Number.isNaN(last) ? 0 : Math.max(0, (last + 1) * 1000 + clockTickMs - Date.now());
}

/** The kernel's seconds change with its tick. */
const clockTickMs = 20;
