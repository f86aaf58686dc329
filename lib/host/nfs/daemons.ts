import type { Host } from '../host.ts';
import { isAbsence } from '../local-files.ts';
import { beginOf, type ProcessIdentity, processIds, processName } from '../process-table.ts';
import { isInstalled, unitProcesses } from '../systemd.ts';

/** A daemon of the NFS server, by the name the kernel keeps (15 bytes), which is its command's, too. */
export type Daemon = {
  readonly process: string;
  /** Units that run it, the present name first: Red Hat 7 had others. */
  readonly units: readonly [string, ...string[]];
};

const rpcbind: Daemon = { process: 'rpcbind', units: ['rpcbind.service'] };
export const statd: Daemon = { process: 'rpc.statd', units: ['rpc-statd.service', 'nfs-lock.service'] };
export const mountd: Daemon = { process: 'rpc.mountd', units: ['nfs-mountd.service'] };
/** Answers the kernel's questions about exports in a server that speaks NFSv4 only. */
const exportd: Daemon = { process: 'nfsv4.exportd', units: ['nfsv4-exportd.service'] };
const idmapd: Daemon = { process: 'rpc.idmapd', units: ['nfs-idmapd.service', 'nfs-idmap.service'] };
const nfsdcld: Daemon = { process: 'nfsdcld', units: ['nfsdcld.service'] };
/** Since nfs-utils 2.7; Debian 13 requires it for nfs-server.service. */
const fsidd: Daemon = { process: 'fsidd', units: ['fsidd.service'] };
const svcgssd: Daemon = { process: 'rpc.svcgssd', units: ['rpc-svcgssd.service'] };

/** The unit of the server itself: upstream's name, then those that SUSE and Debian had before. */
export const serverNames = ['nfs-server.service', 'nfsserver.service', 'nfs-kernel-server.service'] as const;

/** The units of the server in the order of their dependence. rpcbind is not ours: others use it. */
export const serverUnits: readonly string[] = [
  ...serverNames,
  'nfsv4-server.service',
  ...[mountd, exportd, idmapd, statd, nfsdcld, fsidd, svcgssd].flatMap(({ units }) => units),
];

/** Every program of nfs-utils that may hold files below the state directory. */
export const stateHolders: ReadonlySet<string> = new Set([
  ...[mountd, exportd, idmapd, statd, nfsdcld, fsidd, svcgssd].map(({ process }) => process),
  'sm-notify',
  'nfsdcltrack',
  'rpc.nfsd',
  'nfsdctl',
  'exportfs',
]);

/** Serve others, too: they are ended only when they keep the state directory busy, and started again after it. */
export const bystanders: ReadonlySet<string> = new Set(['rpc.gssd', 'blkmapd', 'rpc.rquotad']);

/** Units of nfs-utils that may be stopped because their process keeps the state directory busy. */
export const holderUnits: ReadonlySet<string> = new Set([
  ...serverUnits,
  ...['rpc-statd-notify.service', 'rpc-gssd.service', 'nfs-blkmap.service'],
  ...['rpc-rquotad.service', 'quotarpc.service'],
]);

/** The unit by which the daemon is installed here; a masked one does not count. */
async function unitOf(host: Host, { units }: Daemon): Promise<string | undefined> {
  for (const unit of units) if (await isInstalled(host, unit)) return unit;
  return undefined;
}

/** Whether the daemon runs, by its unit's control group or, started by whomever, by its name. */
export async function isRunning(host: Host, { process, units }: Daemon): Promise<boolean> {
  for (const unit of units) if ((await unitProcesses(host, unit)).length > 0) return true;
  return (await processesNamed(host, new Set([process]))).length > 0;
}

/** A daemon that this server cannot do without. */
export type NeededDaemon = Daemon & {
  /** The unit that starts it here; `undefined` where there is none, or no systemd. */
  readonly unit: string | undefined;
};

/** The daemons without which this server does not serve everything it should. */
export async function neededDaemons(
  host: Host,
  speaksV3: boolean,
  bySystemd: boolean,
): Promise<readonly NeededDaemon[]> {
  const found = async (daemon: Daemon) => ({
    ...daemon,
    unit: bySystemd ? await unitOf(host, daemon) : undefined,
  });
  const isHere = async ({ unit, process }: NeededDaemon) =>
    bySystemd ? unit !== undefined : host.sys.has(process);
  const [always, optional, exports, instead] = await Promise.all([
    Promise.all((speaksV3 ? [rpcbind, statd] : []).map(found)),
    Promise.all([nfsdcld, idmapd].map(found)),
    found(mountd),
    found(exportd),
  ]);
  const here = await Promise.all(optional.map(isHere));
  const upcalls = !(await isHere(exports)) && (await isHere(instead)) ? instead : exports;
  return [...always, ...optional.filter((_, index) => here[index]), upcalls];
}

/** Those of them that do not run, one sentence each. */
export async function missingDaemons(host: Host, needed: readonly Daemon[]): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const daemon of needed)
    if (!(await isRunning(host, daemon)))
      missing.push(`${daemon.process} (${daemon.units[0]}) is not running`);
  return missing;
}

export type NamedProcess = ProcessIdentity & { readonly name: string };

/** The processes of this mount namespace with one of these names; zombies and kernel threads do not count. */
export async function processesNamed(
  host: Host,
  names: ReadonlySet<string>,
): Promise<readonly NamedProcess[]> {
  const here = await host.sys.target('/proc/self/ns/mnt').catch(() => '');
  const found: NamedProcess[] = [];
  for (const pid of await processIds(host)) {
    const name = await processName(host, pid);
    if (name === undefined || !names.has(name)) continue;
    const [exe, namespace] = await Promise.all(
      ['exe', 'ns/mnt'].map((link) => leads(host, `/proc/${pid}/${link}`)),
    );
    if (exe !== undefined && (namespace || here) === here)
      found.push({ pid, startTime: await beginOf(host, pid), name });
  }
  return found;
}

/** Where a link of a process leads: `undefined` where there is none, empty where it may not be looked at, as in a container. */
const leads = (host: Host, link: string): Promise<string | undefined> =>
  host.sys.target(link).catch((error: unknown) => (isAbsence(error) ? undefined : ''));
