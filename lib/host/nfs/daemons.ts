import type { Host } from '../host.ts';
import type { HostDaemon } from '../host-daemons.ts';
import { isInstalled, unitProcesses } from '../systemd.ts';

/** A daemon of the NFS server. Of its units the present name comes first: Red Hat 7 had others. */
export type Daemon = HostDaemon & { readonly units: readonly [string, ...string[]] };

/** Debian's, everybody else's. */
const rpcbind: Daemon = { process: 'rpcbind', units: ['rpcbind.service'], accounts: ['_rpc', 'rpc'] };
/** Red Hat's, Debian's. */
export const statdAccounts = ['rpcuser', 'statd'] as const;
export const statd: Daemon = {
  process: 'rpc.statd',
  units: ['rpc-statd.service', 'nfs-lock.service'],
  accounts: statdAccounts,
};
export const mountd: Daemon = { process: 'rpc.mountd', units: ['nfs-mountd.service'] };
/** Answers the kernel's questions about exports in a server that speaks NFSv4 only. */
const exportd: Daemon = { process: 'nfsv4.exportd', units: ['nfsv4-exportd.service'] };
const idmapd: Daemon = { process: 'rpc.idmapd', units: ['nfs-idmapd.service', 'nfs-idmap.service'] };
export const nfsdcld: Daemon = { process: 'nfsdcld', units: ['nfsdcld.service'] };
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
export const stateHolders: readonly HostDaemon[] = [
  ...[mountd, exportd, idmapd, statd, nfsdcld, fsidd, svcgssd],
  { process: 'sm-notify', units: ['rpc-statd-notify.service'], accounts: statdAccounts },
  ...['nfsdcltrack', 'rpc.nfsd', 'nfsdctl', 'exportfs'].map((process) => ({ process, units: serverNames })),
];

/** Serve others, too: they are ended only when they keep the state directory busy, and started again after it. */
export const bystanders: readonly HostDaemon[] = [
  { process: 'rpc.gssd', units: ['rpc-gssd.service'] },
  { process: 'blkmapd', units: ['nfs-blkmap.service'] },
  { process: 'rpc.rquotad', units: ['rpc-rquotad.service', 'quotarpc.service'] },
];

/** Units of nfs-utils that may be stopped because their process keeps the state directory busy. */
export const holderUnits: ReadonlySet<string> = new Set([
  ...serverUnits,
  'rpc-statd-notify.service',
  ...bystanders.flatMap(({ units }) => units),
]);

/** The unit by which the daemon is installed here; a masked one does not count. */
async function unitOf(host: Host, { units }: Daemon): Promise<string | undefined> {
  for (const unit of units) if (await isInstalled(host, unit)) return unit;
  return undefined;
}

/** Whether the daemon runs, by its unit's control group or, started by whomever, by what its process can prove. */
export async function isRunning(host: Host, daemon: Daemon): Promise<boolean> {
  for (const unit of daemon.units) if ((await unitProcesses(host, unit)).length > 0) return true;
  const { daemonProcesses } = await import('../host-daemons.ts');
  return (await daemonProcesses(host, [daemon])).length > 0;
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
