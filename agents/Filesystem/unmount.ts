import { commandFailure, firstLine } from '../../lib/host/host.ts';
import { type Mount, mounts } from '../../lib/host/mounts.ts';
import { isProtected, kernelUsers, type MountUser, processesUsing } from '../../lib/host/processes.ts';
import type { Argv } from '../../lib/host/sys.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import { readForce, readSeconds, readSignals, signalName } from './force.ts';
import { isServed } from './fstypes.ts';
import type { Ctx } from './params.ts';

/** Moments of `host.sys.now()`, shared by everything a stop unmounts. */
export type StopClock = { readonly killAt: number; readonly giveUpAt: number };

const fastStopMs = 6000;
const firstPauseMs = 50;
const longestPauseMs = 1000;
const longestLookMs = 100;
/** Of the names in a log line; a reason has room for fewer. */
const namedUsers = 10;

/** The gentle half, then the forceful half; a rest stays for finding out who was in the way. */
export function stopClock({ params, host }: Ctx): StopClock {
  const left = host.left();
  const budget = Math.min(
    left - Math.min(1000, left / 10),
    params.fast_stop ? fastStopMs : Number.POSITIVE_INFINITY,
  );
  const now = host.sys.now();
  return { killAt: now + budget / 2, giveUpAt: now + budget };
}

/** Unmounts one mount, and ends whoever keeps it busy as far as `force_unmount` allows. */
export async function unmount(ctx: Ctx, mount: Mount, clock: StopClock): Promise<void> {
  const { params, host, log } = ctx;
  const { evict: mayEvict } = readForce(params.force_unmount);
  const said = new Set<string>();
  const sayOnce = (line: string) => {
    if (!said.has(line)) log.warn(line);
    said.add(line);
  };
  let attempt = await tryUnmount(ctx, mount, false);
  for (let pause = firstPauseMs; !attempt.done && host.sys.now() < clock.giveUpAt; ) {
    sayOnce(attempt.why);
    const killing = host.sys.now() >= clock.killAt;
    const phaseEnd = killing ? clock.giveUpAt : clock.killAt;
    let signalled = 0;
    for (const signal of readSignals(killing ? params.kill_signals : params.term_signals)) {
      if (!mayEvict || signal === undefined || attempt.done) continue;
      const count = await evict(ctx, mount, signal, phaseEnd, sayOnce);
      signalled += count;
      if (count > 0) attempt = await tryUnmount(ctx, mount, killing);
    }
    if (attempt.done) return;
    await host.sys.sleep(
      Math.max(1, Math.min(signalled > 0 ? firstPauseMs : pause, phaseEnd - host.sys.now())),
    );
    pause = Math.min(pause * 2, longestPauseMs);
    attempt = await tryUnmount(ctx, mount, mayEvict && killing);
  }
  if (attempt.done) return;
  if (isServed(mount.type) && (mayEvict || attempt.hung)) return unmountLazily(ctx, mount);
  throw await busyFailure(ctx, mount, attempt.why);
}

type Attempt = { readonly done: boolean; readonly why: string; readonly hung: boolean };

/**
 * One umount, judged by the mount table. `-c` because the target is canonical already: without it umount stats the mount point,
 * which hangs with its server.
 */
async function tryUnmount({ host, log }: Ctx, mount: Mount, force: boolean): Promise<Attempt> {
  const served = isServed(mount.type);
  const argv: Argv = ['umount', '-c', ...(force && served ? ['-f'] : []), mount.target];
  const output = await host.tryRun(argv, served ? { timeoutMs: host.left() / 4 } : {});
  const gone = !(await isMounted({ host }, mount));
  const why = output.hung || output.missing ? commandFailure(argv, output).message : firstLine(output.stderr);
  // A local filesystem leaves the table first and writes its data then: only the end of umount says that it is on disk.
  if (output.hung && !served)
    throw new Failure(
      'failed',
      `umount ${mount.target} does not end, data is still on its way to ${mount.source}: ${output.hung}`,
    );
  if (gone && output.hung)
    log.warn(`${mount.target} is unmounted, but ${mount.source} never answered: ${output.hung}`);
  return { done: gone, why, hung: output.hung !== undefined };
}

async function isMounted({ host }: Pick<Ctx, 'host'>, mount: Mount): Promise<boolean> {
  return (await mounts(host)).some(({ id, target }) => id === mount.id && target === mount.target);
}

/** Signals every process that uses the mount and waits a little for their end. Returns how many were signalled. */
async function evict(
  { params, host, log }: Ctx,
  mount: Mount,
  signal: number,
  until: number,
  sayOnce: (line: string) => void,
): Promise<number> {
  const users = await processesUsing(host, mount);
  if (users.length === 0 || !(await isMounted({ host }, mount))) return 0;
  const signalled: MountUser[] = [];
  for (const user of users) {
    if (await isProtected(host, user))
      sayOnce(`${describe(user)} uses ${mount.target} but is never signalled`);
    else if (host.sys.signal(user.pid, signal)) signalled.push(user);
  }
  if (signalled.length === 0) return 0;
  log.info(`sent ${signalName(signal)} to ${list(signalled, namedUsers)}: ${mount.target} is busy`);
  const delayMs = Math.min((readSeconds(params.signal_delay) ?? 1) * 1000, until - host.sys.now());
  await host.until(() => haveEnded(host, signalled), delayMs, longestLookMs);
  return signalled.length;
}

/** A zombie has ended too: it has no program any more. */
async function haveEnded(host: Ctx['host'], users: readonly MountUser[]): Promise<boolean> {
  for (const { pid } of users)
    if (await host.sys.target(`/proc/${pid}/exe`).catch(() => undefined)) return false;
  return true;
}

/** Safe for data only where none of it is in this machine's hands: never for a local disk. */
async function unmountLazily({ host, log }: Ctx, mount: Mount): Promise<void> {
  const argv: Argv = ['umount', '-c', '-i', '-f', '-l', mount.target];
  const output = await host.tryRun(argv);
  if (await isMounted({ host }, mount)) throw commandFailure(argv, output);
  log.warn(
    `${mount.source} does not answer: ${mount.target} was unmounted lazily, what was not yet written to it is lost`,
  );
}

async function busyFailure({ host, log }: Ctx, mount: Mount, why: string): Promise<Failure> {
  const users = await processesUsing(host, mount);
  const others = await kernelUsers(host, mount);
  log.error(
    `${mount.target} is in use by ${[list(users, namedUsers), ...others].filter(Boolean).join('; ') || 'nobody that could be found'}`,
  );
  const reason = [...others, list(users, 3)].filter(Boolean).join('; ') || why;
  return new Failure('failed', `Couldn't unmount ${mount.target}: ${reason}`);
}

const describe = ({ name, pid, how }: MountUser): string => `${name}[${pid}] (${how})`;
const list = (users: readonly MountUser[], most: number): string =>
  users.slice(0, most).map(describe).join(', ') +
  (users.length > most ? ` and ${users.length - most} more` : '');
