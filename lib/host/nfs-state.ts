import type { Host } from './host.ts';
import { type NfsConf, nfsConf } from './nfs-conf.ts';
import { isInstalled, unitProcesses } from './units.ts';

/** Where nfs-utils keeps what must move with the service: monitored clients, reclaim records, exports. Compiled in. */
export const stateRoot = '/var/lib/nfs';

/** A daemon of the NFS server, by the name the kernel keeps (15 bytes) and the unit that runs it. */
export type Daemon = { readonly process: string; readonly unit: string };

const rpcbind: Daemon = { process: 'rpcbind', unit: 'rpcbind.service' };
export const statd: Daemon = { process: 'rpc.statd', unit: 'rpc-statd.service' };
const mountd: Daemon = { process: 'rpc.mountd', unit: 'nfs-mountd.service' };
/** Answers the kernel's questions about exports in a server that speaks NFSv4 only. */
const exportd: Daemon = { process: 'nfsv4.exportd', unit: 'nfsv4-exportd.service' };
const idmapd: Daemon = { process: 'rpc.idmapd', unit: 'nfs-idmapd.service' };
const nfsdcld: Daemon = { process: 'nfsdcld', unit: 'nfsdcld.service' };
/** Since nfs-utils 2.7; Debian 13 requires it for nfs-server.service. */
const fsidd: Daemon = { process: 'fsidd', unit: 'fsidd.service' };
const svcgssd: Daemon = { process: 'rpc.svcgssd', unit: 'rpc-svcgssd.service' };

/** The units of the server in the order of their dependence. rpcbind is not ours: others use it. */
export const serverUnits: readonly string[] = [
  'nfs-server.service',
  'nfsv4-server.service',
  ...[mountd, exportd, idmapd, statd, nfsdcld, fsidd, svcgssd].map(({ unit }) => unit),
];

/** Every program of nfs-utils that may hold files below the state directory. */
export const stateHolders: ReadonlySet<string> = new Set([
  ...[mountd, exportd, idmapd, statd, nfsdcld, fsidd, svcgssd].map(({ process }) => process),
  'sm-notify',
  'rpc.rquotad',
  'nfsdcltrack',
  'rpc.nfsd',
  'nfsdctl',
  'exportfs',
]);

/** Whether the daemon runs, by its unit's control group or, started by whomever, by its name. */
export async function isRunning(host: Host, { process, unit }: Daemon): Promise<boolean> {
  if ((await unitProcesses(host, unit)).length > 0) return true;
  return (await processesNamed(host, new Set([process]))).length > 0;
}

/** The daemons without which this server does not serve everything it should. */
export async function neededDaemons(host: Host, speaksV3: boolean): Promise<readonly Daemon[]> {
  const upcalls = (await isInstalled(host, mountd.unit)) ? mountd : exportd;
  const optional: Daemon[] = [];
  for (const daemon of [idmapd, nfsdcld]) if (await isInstalled(host, daemon.unit)) optional.push(daemon);
  return [...(speaksV3 ? [rpcbind, statd] : []), upcalls, ...optional];
}

export type NamedProcess = { readonly pid: number; readonly name: string };

/** The processes of this mount namespace with one of these names; zombies and kernel threads do not count. */
export async function processesNamed(
  host: Host,
  names: ReadonlySet<string>,
): Promise<readonly NamedProcess[]> {
  const here = await host.sys.target('/proc/self/ns/mnt').catch(() => '');
  const found: NamedProcess[] = [];
  for (const entry of await host.sys.list('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const name = (await host.sys.read(`/proc/${entry}/comm`).catch(() => '')).trim();
    if (!names.has(name)) continue;
    const [exe, namespace] = await Promise.all(
      ['exe', 'ns/mnt'].map((link) => host.sys.target(`/proc/${entry}/${link}`).catch(() => undefined)),
    );
    if (exe !== undefined && (namespace ?? here) === here) found.push({ pid: Number(entry), name });
  }
  return found;
}

/** Whose files statd's and sm-notify's are: they run as the owner of the directory `sm`. */
export type Owner = { readonly uid: number; readonly gid: number };

/** The accounts that distributions create for statd. */
const statdUsers = ['rpcuser', 'statd'] as const;

/**
 * Where statd keeps its state, and as whom, on this machine: compiled in, and told by the account. Red Hat's family has rpcuser
 * and a directory of its own. Numbers differ between machines, names do not.
 */
export async function statdHome(
  host: Host,
  conf?: NfsConf,
): Promise<{ readonly dir: string; readonly owner: Owner }> {
  const accounts = await host.sys.read('/etc/passwd').catch(() => '');
  const user = statdUsers.find((name) => new RegExp(`^${name}:`, 'm').test(accounts));
  const [, uid = '0', gid = '0'] = new RegExp(`^${user}:[^:]*:(\\d+):(\\d+):`, 'm').exec(accounts) ?? [];
  const configured = (conf ?? (await nfsConf(host))).get('statd', 'state-directory-path');
  return {
    dir: configured ?? (user === 'rpcuser' ? `${stateRoot}/statd` : stateRoot),
    owner: { uid: Number(uid), gid: Number(gid) },
  };
}
