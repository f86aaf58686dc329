import type { Log } from '../../lib/contract/log.ts';
import type { Host } from '../../lib/host/host.ts';
import { isRunning, nfsdcld } from '../../lib/host/nfs/daemons.ts';
import { mounts } from '../../lib/host/storage/mounts.ts';
import { isInstalled, startUnits } from '../../lib/host/systemd.ts';

const lookMs = 2000;
const startMs = 4000;

/**
 * A thread that has to tell nfsdcld of a client waits in the kernel for one that has died, up to 30 s (RPC_UPCALL_TIMEOUT), longer than a
 * stop may take. One that runs again answers it. Only where this server writes its clients down by nfsdcld: there is a pipe then.
 */
export async function letNfsdcldAnswer(host: Host, log: Log): Promise<void> {
  if (await isRunning(host, nfsdcld)) return;
  const [unit = ''] = nfsdcld.units;
  if (!(await isInstalled(host, unit)) || !(await hasPipe(host))) return;
  log.warn('nfsdcld does not run: it is started for the threads that may wait for it');
  await startUnits(host, [unit], Math.min(startMs, host.left() * 0.2));
}

/** By a child: a pipefs may lie below the state directory, whose disk may be dead. */
async function hasPipe(host: Host): Promise<boolean> {
  for (const { type, target } of await mounts(host)) {
    if (type !== 'rpc_pipefs') continue;
    const { code } = await host.tryRun(['stat', '--', `${target}/nfsd/cld`], { timeoutMs: lookMs });
    if (code === 0) return true;
  }
  return false;
}
