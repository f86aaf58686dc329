import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import {
  isRunning,
  type NamedProcess,
  neededDaemons,
  processesNamed,
  statd,
  stateHolders,
} from '../../lib/host/nfs/daemons.ts';
import { nfsdThreads } from '../../lib/host/nfs/nfsd.ts';
import { keepRecords } from '../../lib/host/nfs/nsm-records.ts';
import { statdHome } from '../../lib/host/nfs/state-directory.ts';
import { hasSystemd, startsAtBoot } from '../../lib/host/systemd.ts';
import { startByScript, stopByScript } from './by-script.ts';
import { installedUnits, startBySystemd, stopBySystemd, unitsFor } from './by-systemd.ts';
import { missingDaemons, wantsV3 } from './health.ts';
import { findManager, type Manager } from './manager.ts';
import type { Ctx } from './params.ts';

/** sm-notify runs once per boot: it does nothing when this file exists. */
const alreadyNotified = '/run/sm-notify.pid';
/** A dead disk must not take the time that the stop itself needs. */
const keepMs = 3000;
/** Daemons that fork may take a moment to be seen. */
const settleMs = 5000;

/** What can be told before the start costs anything. Throws `Failure` for a daemon without a unit. */
export async function checkUnits(ctx: Ctx, manager: Manager): Promise<void> {
  const { host, log } = ctx;
  if (manager.by === 'script') return;
  await unitsFor(host, await neededDaemons(host, await wantsV3(ctx)));
  if (await startsAtBoot(host, manager.server))
    log.warn(
      `${manager.server} is enabled at boot: Pacemaker must be the only one to start it (systemctl disable it)`,
    );
}

/** Starts every daemon of the server and waits until all of them and the kernel's threads are there. */
export async function startServer(ctx: Ctx, manager: Manager, scope: string | undefined): Promise<void> {
  const { host } = ctx;
  const needed = await neededDaemons(host, await wantsV3(ctx));
  // rpc-statd-notify.service would send in the node's name, before the exports and the address are there
  await host.sys.write(alreadyNotified, `${host.sys.pid}\n`, 0o600);
  if (manager.by === 'systemd') await startBySystemd(ctx, manager.server, needed);
  else await startByScript(ctx, manager.script, needed, scope);

  let missing: readonly string[] = [];
  const isUp = await host.until(async () => {
    missing = (await nfsdThreads(host)) > 0 ? await missingDaemons(ctx) : ['the kernel has no nfsd threads'];
    return missing.length === 0;
  }, settleMs);
  const what = manager.by === 'systemd' ? manager.server : manager.script;
  if (!isUp) throw new Failure('failed', `after the start of ${what}: ${missing.join('; ')}`);
}

/** Before a start: a daemon that runs has its files in the directory that is about to be hidden. */
export async function standstill(ctx: Ctx): Promise<void> {
  if (await isAnythingUp(ctx.host, await nfsdThreads(ctx.host))) await stopServer(ctx);
  const left = await endLeftovers(ctx.host);
  if (left.length > 0) ctx.log.warn(`still there: ${names(left)}`);
}

/** Takes the server and every helper down; they keep files open, and a new state directory means new files. */
export async function stopServer(ctx: Pick<Ctx, 'host' | 'log' | 'params'>): Promise<void> {
  const { host, log } = ctx;
  const before = await nfsdThreads(host);
  if (before > 0 && (await isRunning(host, statd)))
    await keepRecords(host, (await statdHome(host)).dir, keepMs).catch((error: Error) =>
      log.warn(`clients with NFSv3 locks are not remembered: ${error.message}`),
    );
  const manager = await findManager(ctx);
  const timeoutMs = host.left() * 0.6;
  const trouble = (await hasSystemd(host))
    ? await stopBySystemd(host, await installedUnits(host), timeoutMs)
    : manager?.by === 'script' && (await isAnythingUp(host, before))
      ? await stopByScript(host, manager.script, timeoutMs)
      : undefined;
  if (trouble) log.warn(trouble);
  if ((await nfsdThreads(host)) === 0) return;
  // A child does it: a thread that hangs with its disk keeps whoever ends the threads waiting in the kernel.
  await host.tryRun(['rpc.nfsd', '0'], { timeoutMs: host.left() * 0.4 });
  const ended = await host.until(async () => (await nfsdThreads(host)) === 0, host.left() * 0.4);
  if (ended) return;
  if (trouble) log.error(trouble);
  throw new Failure(
    'failed',
    `${await nfsdThreads(host)} of ${before} nfsd threads do not end: is the storage below the exports dead?`,
  );
}

/** To ask systemd about all units, or an init script, costs more than to look. */
const isAnythingUp = async (host: Host, threads: number): Promise<boolean> =>
  threads > 0 || (await processesNamed(host, stateHolders)).length > 0;

/** Ends what is left of the server's programs, started by whomever. Returns those that would not die. */
export async function endLeftovers(host: Host): Promise<readonly NamedProcess[]> {
  return endProcesses(host, () => processesNamed(host, stateHolders));
}

/** TERM, and KILL for those that stay. */
export async function endProcesses(
  host: Host,
  find: () => Promise<readonly NamedProcess[]>,
): Promise<readonly NamedProcess[]> {
  for (const [signal, waitMs] of [
    ['SIGTERM', 2000],
    ['SIGKILL', 2000],
  ] as const) {
    const found = await find();
    if (found.length === 0) return found;
    for (const { pid } of found) host.sys.signal(pid, signal);
    await host.until(async () => (await find()).length === 0, waitMs);
  }
  return find();
}

export const names = (processes: readonly NamedProcess[]): string =>
  processes.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
