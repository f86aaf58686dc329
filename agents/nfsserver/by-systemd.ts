import type { Log } from '../../lib/contract/log.ts';
import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import type { Host } from '../../lib/host/host.ts';
import { listenersOn } from '../../lib/host/net/listeners.ts';
import { nfsConf } from '../../lib/host/nfs/conf.ts';
import { type NeededDaemon, serverNames, serverUnits } from '../../lib/host/nfs/daemons.ts';
import { ownThreads } from '../../lib/host/nfs/nfsd-threads.ts';
import { endAfterPacemaker } from '../../lib/host/shutdown-order.ts';
import { isInstalled, startUnits, stopUnits, type Unit, unitsOf } from '../../lib/host/systemd.ts';
import type { Survey } from './survey.ts';

/** What must stay of the time for looking at the result. */
const reserveMs = 5000;
const standardPort = 2049;

/** The units of these daemons. Throws `Failure` for a daemon without one that could be started. */
export function requireInstalled(daemons: readonly NeededDaemon[]): readonly string[] {
  return daemons.map(({ unit, units }) => {
    if (unit === undefined) throw new Failure('notInstalled', `${units[0]} is not installed or is masked`);
    return unit;
  });
}

/** Every unit of the server that is installed here; its own under the first of its names, the others are aliases. */
export async function installedUnits(host: Host): Promise<readonly string[]> {
  const installed: string[] = [];
  const isServer = (unit: string) => (serverNames as readonly string[]).includes(unit);
  for (const unit of serverUnits)
    if (!(isServer(unit) && installed.some(isServer)) && (await isInstalled(host, unit)))
      installed.push(unit);
  return installed;
}

/** Starts all in one call, in which systemd orders them. */
export async function startBySystemd(
  host: Host,
  server: string,
  daemons: readonly NeededDaemon[],
): Promise<void> {
  const names = [...requireInstalled(daemons), server];
  const start = () => startUnits(host, names, Math.max(1000, host.left() - reserveMs));
  let output = await start();
  if (output.code !== 0 && (await liftLimit(host, names))) output = await start();
  if (output.code === 0 && (await ownThreads(host)) === 0) {
    // a unit without a process stays active although somebody has ended the threads
    await stopBySystemd(host, [server], host.left() * 0.3);
    output = await start();
  }
  if (output.code !== 0)
    throw new Failure('failed', await whyNotUp(host, names, output.hung ?? output.stderr));
}

/** systemd refuses a sixth start within ten seconds. How often to try is for Pacemaker to say. */
async function liftLimit(host: Host, names: readonly string[]): Promise<boolean> {
  const units = await unitsOf(host, names).catch(() => []);
  if (!units.some(({ result }) => result === 'start-limit-hit')) return false;
  await host.run(['systemctl', 'reset-failed', ...names]); // the next one is as near to its limit
  return true;
}

async function whyNotUp(host: Host, names: readonly string[], said: string): Promise<string> {
  const port = Number((await nfsConf(host)).get('nfsd', 'port')) || standardPort;
  const listeners = await listenersOn(host, port);
  if (listeners.length > 0) return `port ${port} is taken by ${listeners.join(', ')}`;
  let units: readonly Unit[] = [];
  await host.until(async () => {
    units = await unitsOf(host, names).catch(() => []);
    return !units.some(({ active }) => active === 'deactivating'); // its fate is open until it has ended
  }, reserveMs / 2);
  const faults = units.filter(({ active }) => active !== 'active').map(describe);
  return faults.length > 0 ? faults.join('; ') : said.trim() || `${names.at(-1)} did not start`;
}

const describe = ({ id, active, result, status }: Unit): string =>
  active === 'failed'
    ? `${id} failed (${result}, status ${status}): see journalctl -u ${id}`
    : `${id} is ${active}${result && result !== 'success' ? ` (${result})` : ''}`;

/** Says what systemd said if it could not stop them. */
export async function stopBySystemd(
  host: Host,
  units: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  if (units.length === 0) return undefined;
  const { code, stderr, hung } = await stopUnits(host, units, timeoutMs);
  return code === 0 ? undefined : `systemctl stop ${units.join(' ')}: ${hung ?? stderr.trim()}`;
}

/** What the stop of this agent needs while it works: rpc.statd is asked through rpcbind, and the state directory must stay. */
const heldUntilStopped = [
  ...serverUnits,
  'rpcbind.service',
  'rpcbind.socket',
  'gssproxy.service',
  'var-lib-nfs.mount',
];

/**
 * An orderly reboot is a move like any other. Without this systemd ends the server beside Pacemaker: lockd has statd forget every
 * NFSv3 client before the agent can copy the records, and their locks are lost. Best effort: never fails.
 */
export async function endServerAfterPacemaker(host: Host, log: Log, { manager }: Survey): Promise<void> {
  if (manager.by !== 'systemd') return;
  try {
    await endAfterPacemaker(host, 'tsha-nfsserver', heldUntilStopped, host.left() / 4);
  } catch (error) {
    log.warn(`a reboot of this node may cost NFSv3 clients their locks: ${wordsOf(error)}`);
  }
}
