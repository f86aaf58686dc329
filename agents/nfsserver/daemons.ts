import type { Log } from '../../lib/contract/log.ts';
import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import type { Host } from '../../lib/host/host.ts';
import { type DaemonProcess, daemonProcesses } from '../../lib/host/host-daemons.ts';
import { isRunning, missingDaemons, statd, stateHolders } from '../../lib/host/nfs/daemons.ts';
import { ownThreads } from '../../lib/host/nfs/nfsd-threads.ts';
import { keepRecords } from '../../lib/host/nfs/nsm-records.ts';
import { statdHome } from '../../lib/host/nfs/state-directory.ts';
import { startsAtBoot } from '../../lib/host/systemd.ts';
import { startByScript, stopByScript } from './by-script.ts';
import { installedUnits, requireInstalled, startBySystemd, stopBySystemd } from './by-systemd.ts';
import type { Ctx } from './params.ts';
import { noteEnd } from './reserve.ts';
import type { Manager, Starter, Survey } from './survey.ts';
import { letNfsdcldAnswer } from './tracking-daemon.ts';

/** sm-notify runs once per boot: it does nothing when this file exists. */
const alreadyNotified = '/run/sm-notify.pid';
/** A dead disk must not take the time that the stop itself needs. */
const keepMs = 3000;
/** For the kernel's threads to end, and lockd with them, before systemd is asked: its own limit is 90 s. */
const farewellMs = 3000;
/** Daemons that fork may take a moment to be seen. */
const settleMs = 5000;

/** What can be told before the start costs anything. Throws `Failure` for a daemon without a unit. */
export async function requireUnits(
  host: Host,
  log: Log,
  starter: Starter,
  { daemons }: Survey,
): Promise<void> {
  if (starter.by === 'script') return;
  requireInstalled(daemons);
  if (await startsAtBoot(host, starter.server))
    log.warn(
      `${starter.server} is enabled at boot: Pacemaker must be the only one to start it (systemctl disable it)`,
    );
}

/**
 * Starts every daemon of the server and waits until all of them and the kernel's threads are there. `scope`: the node's name that
 * nfsd is to see, where it takes the server scope from that.
 */
export async function startServer(
  ctx: Ctx,
  survey: Survey,
  starter: Starter,
  scope: string | undefined,
): Promise<void> {
  const { host } = ctx;
  // rpc-statd-notify.service would send in the node's name, before the exports and the address are there
  await host.sys.write(alreadyNotified, `${host.sys.pid}\n`, 0o600);
  if (starter.by === 'systemd') await startBySystemd(host, starter.server, survey.daemons);
  else await startByScript(ctx, starter.script, survey.daemons, scope);

  let missing: readonly string[] = [];
  const isUp = await host.until(async () => {
    missing =
      (await ownThreads(host)) > 0
        ? await missingDaemons(host, survey.daemons)
        : ['the kernel has no nfsd threads'];
    return missing.length === 0;
  }, settleMs);
  const what = starter.by === 'systemd' ? starter.server : starter.script;
  if (!isUp) throw new Failure('failed', `after the start of ${what}: ${missing.join('; ')}`);
}

/** Before a start: a daemon that runs has its files in the directory that is about to be hidden. */
export async function standstill(host: Host, log: Log, manager: Manager): Promise<void> {
  if (await isAnythingUp(host, await ownThreads(host))) await stopServer(host, log, manager);
  const left = await endLeftovers(host);
  if (left.length > 0) log.warn(`still there: ${names(left)}`);
}

/** Takes the server and every helper down; they keep files open, and a new state directory means new files. */
export async function stopServer(host: Host, log: Log, manager: Manager): Promise<void> {
  const before = await ownThreads(host);
  const isKept = before > 0 && (await areRecordsKept(host, log));
  if (before > 0 && manager.by === 'systemd') await letNfsdcldAnswer(host, log);
  if (before > 0) await endThreads(host, Math.min(farewellMs, host.left() * 0.3));
  const trouble = await stopDaemons(host, manager, before);
  if (trouble) log.warn(trouble);
  const isEnded = async () => (await ownThreads(host)) === 0;
  if (!(await isEnded())) {
    await endThreads(host, host.left() * 0.4);
    await host.until(isEnded, host.left() * 0.4);
  }
  if (await isEnded()) return before > 0 ? noteEnd(host, log, { isOrderly: isKept }) : undefined;
  if (trouble) log.error(trouble);
  throw new Failure(
    'failed',
    `${await ownThreads(host)} of ${before} nfsd threads do not end: is the storage below the exports dead?`,
  );
}

/**
 * Ends the kernel's threads. A child does it: a thread that hangs with its disk keeps whoever ends the threads waiting in the kernel.
 * With the last thread lockd bids rpc.statd farewell for each client, through rpcbind, and waits up to 15 s for one that does not
 * answer; the SIGKILL at the end of `timeoutMs` ends that wait, and the threads are gone then.
 */
const endThreads = async (host: Host, timeoutMs: number): Promise<void> =>
  void (await host.tryRun(['rpc.nfsd', '0'], { timeoutMs }));

/** Whether every NFSv3 client of the server that is about to end is on record: lockd has statd forget them as it goes down. */
async function areRecordsKept(host: Host, log: Log): Promise<boolean> {
  if (!(await isRunning(host, statd))) return true; // nobody there to forget them
  try {
    await keepRecords(host, (await statdHome(host)).dir, keepMs);
    return true;
  } catch (error) {
    log.warn(`clients with NFSv3 locks are not remembered: ${wordsOf(error)}`);
    return false;
  }
}

/** By what manages them here. Says what that said if it could not stop them. */
async function stopDaemons(host: Host, manager: Manager, threads: number): Promise<string | undefined> {
  const timeoutMs = host.left() * 0.6;
  switch (manager.by) {
    case 'systemd':
      return stopBySystemd(host, await installedUnits(host), timeoutMs);
    case 'script':
      return (await isAnythingUp(host, threads)) ? stopByScript(host, manager.script, timeoutMs) : undefined;
    case 'nobody':
      return undefined;
  }
}

/** To ask systemd about all units, or an init script, costs more than to look. */
const isAnythingUp = async (host: Host, threads: number): Promise<boolean> =>
  threads > 0 || (await daemonProcesses(host, stateHolders)).length > 0;

/** Ends what is left of the server's programs, started by whomever. Returns those that would not die. */
export async function endLeftovers(host: Host): Promise<readonly DaemonProcess[]> {
  return endProcesses(host, () => daemonProcesses(host, stateHolders));
}

/** TERM, and KILL for those that stay. */
export async function endProcesses(
  host: Host,
  find: () => Promise<readonly DaemonProcess[]>,
): Promise<readonly DaemonProcess[]> {
  for (const [signal, waitMs] of [
    ['SIGTERM', 2000],
    ['SIGKILL', 2000],
  ] as const) {
    const found = await find();
    if (found.length === 0) return found;
    for (const one of found) host.sys.signal(one, signal);
    await host.until(async () => (await find()).length === 0, waitMs);
  }
  return find();
}

export const names = (processes: readonly DaemonProcess[]): string =>
  processes.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
