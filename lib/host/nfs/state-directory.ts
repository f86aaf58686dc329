import { accountIn } from '../accounts.ts';
import type { Host } from '../host.ts';
import { factsIfThere, readIfThere, targetIfThere } from '../local-files.ts';
import { placeOf } from '../storage/managed-paths.ts';
import { isWithin, mountOn, mounts } from '../storage/mounts.ts';
import type { FileFacts } from '../sys/sys.ts';
import { type NfsConf, nfsConf } from './conf.ts';
import { statd, statdAccounts } from './daemons.ts';
import { stateRoot } from './state-root.ts';

export { stateRoot };

/** Whose files statd's and sm-notify's are: they run as the owner of the directory `sm`. */
export type Owner = { readonly uid: number; readonly gid: number };

const root: Owner = { uid: 0, gid: 0 };

/** Where statd keeps its records on this machine, whose they must be, and the mode of `sm` and `sm.bak`. */
export type StatdHome = { readonly dir: string; readonly owner: Owner; readonly mode: number };

/** Red Hat's family gives statd a directory of its own. */
const ownDir = `${stateRoot}/statd`;

/** The accounts that distributions create for statd, and where it keeps its state then. */
const homes: { readonly [account in (typeof statdAccounts)[number]]: Pick<StatdHome, 'dir' | 'mode'> } = {
  rpcuser: { dir: ownDir, mode: 0o700 },
  statd: { dir: stateRoot, mode: 0o755 },
};

/**
 * Decided by what the machine shows: nfs.conf, the directory a running statd works in, the directories that the package made (as
 * long as no shared state hides them), last the account. Numbers of accounts differ between machines, names do not.
 */
export async function statdHome(host: Host, conf?: NfsConf): Promise<StatdHome> {
  const passwd = (await readIfThere(host, '/etc/passwd')) ?? '';
  const account = statdAccounts.find((name) => accountIn(passwd, name));
  const home = account && homes[account];
  const local = await localRecords(host);
  const dir =
    (conf ?? (await nfsConf(host))).get('statd', 'state-directory-path') ??
    (await workingDirectory(host)) ??
    (local.size === 1 ? [...local.keys()][0] : undefined) ??
    home?.dir ??
    stateRoot;
  const made = local.get(dir);
  return {
    dir,
    owner: made ? { uid: made.uid, gid: made.gid } : ((account && accountIn(passwd, account)) ?? root),
    mode: made ? made.mode & 0o777 : (home?.mode ?? 0o755),
  };
}

/** statd changes to its directory as it starts. Anybody may start a process with statd's name, in a folder of his. */
async function workingDirectory(host: Host): Promise<string | undefined> {
  const { daemonProcesses } = await import('../host-daemons.ts');
  for (const { pid } of await daemonProcesses(host, [statd])) {
    const dir = (await targetIfThere(host, `/proc/${pid}/cwd`)) ?? '';
    if (isWithin(dir, stateRoot)) return dir;
  }
  return undefined;
}

/** `sm` as the package made it, by the directory it is in; none where a mount hides the local state. */
async function localRecords(host: Host): Promise<ReadonlyMap<string, FileFacts>> {
  const found = new Map<string, FileFacts>();
  const table = await mounts(host);
  if (mountOn(table, stateRoot)) return found;
  for (const dir of [ownDir, stateRoot]) {
    if ((await placeOf(host, `${dir}/sm`, table)).managed) continue; // shared by a link, not the package's
    const facts = await factsIfThere(host, `${dir}/sm`);
    if (facts?.kind === 'directory') found.set(dir, facts);
  }
  return found;
}
