import type { Host } from '../host.ts';
import { readIfThere } from '../local-files.ts';
import { parseListeners } from '../net/listeners.ts';
import { type ProcessIdentity, processIds } from '../process-table.ts';
import { parseStat } from '../sys/process-stat.ts';
import { nfsConf } from './conf.ts';
import { countedThreads, nfsdThreads, threadsAsked } from './nfsd.ts';
import { isThreadThere, type ServerMark } from './server-mark.ts';

/** nfsd answers under a mutex that a shutdown with a dead disk never gives back. */
const mutexMs = 3000;

/**
 * The threads of this network namespace's server: a container may have one of its own, whose threads /proc/net/rpc/nfsd counts, too.
 * A child asks nfsd itself. Where that does not answer, all count.
 */
export async function ownThreads(host: Host): Promise<number> {
  const all = await countedThreads(host);
  if (all === undefined) return threadsAsked(host);
  if (all === 0) return 0;
  const { code, stdout } = await host.tryRun(['cat', '/proc/fs/nfsd/threads'], { timeoutMs: mutexMs });
  return code === 0 && /^\d+\s*$/.test(stdout) ? Number(stdout) : all;
}

/** When the oldest nfsd thread began, in ticks since boot. */
export const nfsdBegun = async (host: Host): Promise<number | undefined> =>
  (await oldestThread(host))?.startTime;

async function oldestThread(host: Host): Promise<ProcessIdentity | undefined> {
  let first: ProcessIdentity | undefined;
  for (const pid of await processIds(host)) {
    const text = (await readIfThere(host, `/proc/${pid}/stat`)) ?? '';
    const stat = text.includes('(nfsd)') ? parseStat(text) : undefined;
    if (stat?.isKernelThread && (first === undefined || stat.startTime < first.startTime))
      first = { pid, startTime: stat.startTime };
  }
  return first;
}

const standardPort = 2049;

/** The inodes of the sockets on which this network namespace's server listens for TCP. */
async function nfsdSockets(host: Host): Promise<readonly string[]> {
  const port = Number((await nfsConf(host)).get('nfsd', 'port')) || standardPort;
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readIfThere(host, `/proc/net/${name}`)));
  return tables.flatMap((table) => parseListeners(table ?? '', port)).filter((inode) => inode !== '0');
}

async function isListening(host: Host, sockets: readonly string[]): Promise<boolean> {
  if (sockets.length === 0) return false;
  const now = await nfsdSockets(host);
  return sockets.some((inode) => now.includes(inode));
}

/** Whether the server that was marked still runs. */
export async function isMarked(host: Host, mark: ServerMark): Promise<boolean> {
  if (await isThreadThere(host, mark)) return true;
  if (mark.pid === undefined && !mark.sockets?.length) return (await nfsdBegun(host)) === mark.threadsSince;
  return isListening(host, mark.sockets ?? []);
}

/** The server that runs. `undefined` where none does. */
export async function markServer(host: Host): Promise<ServerMark | undefined> {
  const oldest = await oldestThread(host);
  if (oldest === undefined) return undefined;
  // which threads are whose the kernel does not tell
  const isOnlyServer = (await ownThreads(host)) === (await nfsdThreads(host));
  const sockets = await nfsdSockets(host);
  return { threadsSince: oldest.startTime, ...(isOnlyServer && { pid: oldest.pid }), sockets };
}
