import type { Host } from '../../lib/host/host.ts';
import {
  isRunning,
  type NamedProcess,
  neededDaemons,
  processesNamed,
  serverUnits,
  statd,
  statdHome,
  stateHolders,
} from '../../lib/host/nfs-state.ts';
import { nfsdThreads } from '../../lib/host/nfsd.ts';
import { keepRecords } from '../../lib/host/nsm.ts';
import { hasSystemd, isInstalled, startUnits, stopUnits, type Unit, unitsOf } from '../../lib/host/units.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import { missingDaemons, wantsV3 } from './health.ts';
import type { Ctx } from './params.ts';

const server = 'nfs-server.service';
/** sm-notify runs once per boot: it does nothing when this file exists. */
const alreadyNotified = '/run/sm-notify.pid';
/** A dead disk must not take the time that the stop itself needs. */
const keepMs = 3000;
/** Daemons that fork may take a moment to be seen. */
const settleMs = 5000;

/** Starts every daemon of the server and waits until all of them and the kernel's threads are there. */
export async function startServer(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const needed = await neededDaemons(host, await wantsV3(ctx));
  const units = await unitsOf(host, [server, ...needed.map(({ unit }) => unit)]);
  const unusable = units.find(({ load }) => load !== 'loaded');
  if (unusable) throw new Failure('notInstalled', `${unusable.id} is ${unusable.load}`);
  if (units[0]?.file === 'enabled')
    log.warn(
      `${server} is enabled at boot: Pacemaker must be the only one to start it (systemctl disable it)`,
    );
  const failed = units.filter(({ active }) => active === 'failed').map(({ id }) => id);
  if (failed.length > 0) await host.run(['systemctl', 'reset-failed', ...failed]);

  // rpc-statd-notify.service would send in the node's name, before the exports and the address are there
  await host.sys.write(alreadyNotified, `${host.sys.pid}\n`, 0o600);
  const names = units.map(({ id }) => id);
  const output = await startUnits(host, [...names.slice(1), server], Math.max(1000, host.left() - settleMs));
  if (output.code !== 0) throw new Failure('failed', await whyNotUp(host, names, output.stderr));

  let missing: readonly string[] = [];
  const isUp = await host.until(async () => {
    missing = (await nfsdThreads(host)) > 0 ? await missingDaemons(ctx) : ['the kernel has no nfsd threads'];
    return missing.length === 0;
  }, settleMs);
  if (!isUp) throw new Failure('failed', `after the start of ${server}: ${missing.join('; ')}`);
}

async function whyNotUp(host: Host, names: readonly string[], said: string): Promise<string> {
  const units = await unitsOf(host, names).catch(() => []);
  const faults = units.filter(({ active }) => active !== 'active').map(describe);
  return faults.length > 0 ? faults.join('; ') : said.trim() || `${server} did not start`;
}

const describe = ({ id, active, result, status }: Unit): string =>
  active === 'failed'
    ? `${id} failed (${result}, status ${status}): see journalctl -u ${id}`
    : `${id} is ${active}${result && result !== 'success' ? ` (${result})` : ''}`;

/** Takes the server and every helper down; they keep files open, and a new state directory means new files. */
export async function stopServer({ host, log }: Pick<Ctx, 'host' | 'log'>): Promise<void> {
  const before = await nfsdThreads(host);
  if (before > 0 && (await isRunning(host, statd)))
    await keepRecords(host, (await statdHome(host)).dir, keepMs).catch((error: Error) =>
      log.warn(`clients with NFSv3 locks are not remembered: ${error.message}`),
    );
  if (await hasSystemd(host)) {
    const installed: string[] = [];
    for (const unit of serverUnits) if (await isInstalled(host, unit)) installed.push(unit);
    const { code, stderr, hung } =
      installed.length > 0
        ? await stopUnits(host, installed, host.left() * 0.6)
        : { code: 0, stderr: '', hung: undefined };
    if (code !== 0) log.warn(`systemctl stop ${installed.join(' ')}: ${hung ?? stderr.trim()}`);
  }
  if ((await nfsdThreads(host)) > 0) {
    // A child does it: a thread that hangs with its disk keeps whoever ends the threads waiting in the kernel.
    await host.tryRun(['rpc.nfsd', '0'], { timeoutMs: host.left() * 0.4 });
    const ended = await host.until(async () => (await nfsdThreads(host)) === 0, host.left() * 0.4);
    if (!ended)
      throw new Failure(
        'failed',
        `${await nfsdThreads(host)} of ${before} nfsd threads do not end: is the storage below the exports dead?`,
      );
  }
}

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
