import type { Host } from './host.ts';
import { type HostDaemon, isDaemon } from './host-daemons.ts';
import { readIfThere } from './local-files.ts';
import { parseStat } from './sys/process-stat.ts';

const pacemaker = ['/usr/libexec/pacemaker', '/usr/lib/pacemaker', '/usr/lib64/pacemaker'];
const heartbeat = ['/usr/libexec/heartbeat', '/usr/lib/heartbeat', '/usr/lib64/heartbeat'];
const own = (process: string): HostDaemon => ({ process, units: [`${process}.service`] });
/** Not by Pacemaker's unit: what its resources start is in there, too, and what users may have those start. */
const inDirs = (dirs: readonly string[], names: string): readonly HostDaemon[] =>
  names.split(' ').map((process) => ({ process, units: [], accounts: ['hacluster'], dirs }));

/** Without these the node is fenced. */
const clusterDaemons: readonly HostDaemon[] = [
  ...['corosync', 'corosync-qdevice', 'pcsd', 'sbd'].map(own),
  { process: 'dlm_controld', units: ['dlm.service'] },
  ...inDirs(pacemaker, 'pacemakerd pacemaker-remoted pacemaker_remoted'),
  ...inDirs(pacemaker, 'pacemaker-based pacemaker-fenced pacemaker-execd'),
  ...inDirs(pacemaker, 'pacemaker-attrd pacemaker-schedulerd pacemaker-controld'),
  // of Pacemaker 1.1
  ...inDirs([...pacemaker, ...heartbeat], 'cib stonithd lrmd attrd pengine crmd'),
];

type Named = { readonly pid: number; readonly name: string };

/** Who must never be signalled: ourselves, whoever waits for our answer, init, the cluster's daemons. */
export async function neverEnded(host: Host): Promise<(process: Named) => Promise<boolean>> {
  const callers = new Set<number>();
  for (let pid = host.sys.pid; pid > 1; pid = await parentOf(host, pid)) callers.add(pid);
  return async (process) =>
    process.pid <= 1 || callers.has(process.pid) || (await isDaemon(host, clusterDaemons, process));
}

const parentOf = async (host: Host, pid: number): Promise<number> =>
  parseStat((await readIfThere(host, `/proc/${pid}/stat`)) ?? '')?.parent ?? 0;
