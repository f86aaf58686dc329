import { accountIn } from './accounts.ts';
import type { Host } from './host.ts';
import { factsIfThere, isAbsence, readIfThere } from './local-files.ts';
import { beginOf, type ProcessIdentity, processIds, processName } from './process-table.ts';
import { canonicalPath, mounts } from './storage/mounts.ts';
import { serviceOf } from './systemd.ts';

// Anybody may call a process what he likes, and work in any directory that he can enter. What he cannot: enter the control group of a
// system's unit, become root or the account of a daemon, change a program on root's path, leave his namespaces for the host's.

/** A daemon of the host's own. */
export type HostDaemon = {
  /** Its command; a process is called so as well, by the 15 bytes of it that the kernel keeps. */
  readonly process: string;
  /** Units that run it, and nobody's program of this name beside it. */
  readonly units: readonly string[];
  /** Whom it runs as, besides root. */
  readonly accounts?: readonly string[];
  /** Where its program is, besides root's path. */
  readonly dirs?: readonly string[];
};

export type DaemonProcess = ProcessIdentity & { readonly name: string };

const keptBytes = 15;
/** What the kernel calls it. */
const commOf = ({ process }: HostDaemon): string => process.slice(0, keptBytes);

/** The processes that are one of these daemons. More than its name is looked at only of a process that is called so. */
export async function daemonProcesses(
  host: Host,
  daemons: readonly HostDaemon[],
): Promise<readonly DaemonProcess[]> {
  const found: DaemonProcess[] = [];
  for (const pid of await processIds(host)) {
    const name = await processName(host, pid);
    if (name === undefined || !daemons.some((daemon) => commOf(daemon) === name)) continue;
    const startTime = await beginOf(host, pid);
    if (await isDaemon(host, daemons, { pid, name })) found.push({ pid, startTime, name });
  }
  return found;
}

/**
 * Whether a process is one of these daemons: by the control group of its unit, else by its account, its program and its namespaces.
 * Zombies and kernel threads have no program.
 */
export async function isDaemon(
  host: Host,
  daemons: readonly HostDaemon[],
  { pid, name }: { readonly pid: number; readonly name: string },
): Promise<boolean> {
  for (const daemon of daemons) {
    if (commOf(daemon) !== name) continue;
    const exe = await leads(host, `/proc/${pid}/exe`);
    if (exe === undefined) return false;
    if (daemon.units.includes((await serviceOf(host, pid)) ?? '')) return true;
    if (
      (await runsAs(host, pid, daemon)) &&
      (await isAtHome(host, pid)) &&
      (await isProgramOf(host, daemon, pid, exe))
    )
      return true;
  }
  return false;
}

/** Real, effective, saved and filesystem user, `Uid:\t0\t0\t0\t0`; none of a process that is gone. */
export async function usersOf(host: Host, pid: number): Promise<readonly number[]> {
  const [, ids = ''] = /^Uid:\s*(.*)$/m.exec((await readIfThere(host, `/proc/${pid}/status`)) ?? '') ?? [];
  return ids.split(/\s+/).filter(Boolean).map(Number);
}

/** login.defs(5): below it are the system's own accounts; systemd gives DynamicUser= these. */
const firstUser = 1000;
const dynamicUsers = [61_184, 65_519] as const;

/** Whether a process is an ordinary user's, neither root's nor a service's. */
export async function isOrdinaryUsers(host: Host, pid: number): Promise<boolean> {
  const [real = 0] = await usersOf(host, pid);
  const isDynamic = real >= dynamicUsers[0] && real <= dynamicUsers[1];
  return real >= firstUser && !isDynamic;
}

/** A program with the setuid bit has its caller as real user; user namespaces do not count, ids are read in ours. */
async function runsAs(host: Host, pid: number, { accounts = [] }: HostDaemon): Promise<boolean> {
  const users = await usersOf(host, pid);
  if (users.length === 0) return false;
  if (users.every((user) => user === 0)) return true;
  const passwd = accounts.length > 0 ? ((await readIfThere(host, '/etc/passwd')) ?? '') : '';
  const known = accounts.map((account) => accountIn(passwd, account)?.uid);
  return users.every((user) => user === 0 || known.includes(user));
}

/** In our own namespaces: a container's daemons are not the host's. */
async function isAtHome(host: Host, pid: number): Promise<boolean> {
  for (const type of ['mnt', 'pid', 'user']) {
    const [there, here] = await Promise.all(
      [pid, 'self'].map((one) => leads(host, `/proc/${one}/ns/${type}`)),
    );
    if (there && here && there !== here) return false;
  }
  return true;
}

const deleted = ' (deleted)';

/**
 * Whether `exe` is the daemon's program. One that was replaced by an upgrade since still has its name. The file is asked only where the
 * name says that it is on root's path: a program of a user's own may be on storage that does not answer.
 */
async function isProgramOf(
  host: Host,
  { process, dirs = [] }: HostDaemon,
  pid: number,
  exe: string,
): Promise<boolean> {
  if (exe === '') return true;
  const isDeleted = exe.endsWith(deleted);
  const named = isDeleted ? exe.slice(0, -deleted.length) : exe;
  const table = await mounts(host);
  for (const place of [...host.sys.places(process), ...dirs.map((dir) => `${dir}/${process}`)]) {
    if ((await canonicalPath(host, place, table)) !== named) continue;
    if (isDeleted) return true;
    const [its, program] = await Promise.all([
      factsIfThere(host, `/proc/${pid}/exe`, 'follow'),
      factsIfThere(host, named),
    ]);
    if (its !== undefined && its.ino === program?.ino && its.dev === program.dev) return true;
  }
  return false;
}

/**
 * Where a link of a process leads: `undefined` where there is none, empty where it may not be looked at, as in a container without
 * that right or where SELinux forbids it. No user can bring that about.
 */
const leads = (host: Host, link: string): Promise<string | undefined> =>
  host.sys.target(link).catch((error: unknown) => (isAbsence(error) ? undefined : ''));
