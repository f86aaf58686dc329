import type { Host } from '../../lib/host/host.ts';
import { daemonProcesses, isDaemon } from '../../lib/host/host-daemons.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { statd } from '../../lib/host/nfs/daemons.ts';
import { ownThreads } from '../../lib/host/nfs/nfsd-threads.ts';
import { identityOf, type ProcessIdentity, processName } from '../../lib/host/process-table.ts';

/** The rpc.statd of this machine: the one that says so itself, if there are several. */
export async function currentStatd(host: Host): Promise<ProcessIdentity | undefined> {
  const own = Number((await readIfThere(host, '/run/rpc.statd.pid'))?.trim());
  if (own > 0 && (await isStatd(host, own))) return identityOf(host, own);
  const [found] = await daemonProcesses(host, [statd]);
  return found && identityOf(host, found.pid);
}

export async function isStatd(host: Host, pid: number): Promise<boolean> {
  const name = await processName(host, pid);
  return name !== undefined && isDaemon(host, [statd], { pid, name });
}

/** Whether the kernel's NFS server runs, and no rpc.statd beside it. */
export const isMissingStatd = async (host: Host): Promise<boolean> =>
  (await currentStatd(host)) === undefined && (await ownThreads(host)) > 0;
