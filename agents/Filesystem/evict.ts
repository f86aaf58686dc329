import type { Host } from '../../lib/host/host.ts';
import { neverEnded } from '../../lib/host/never-ended.ts';
import { isStillThere } from '../../lib/host/process-table.ts';
import { type MountUser, processesUsing, type Search } from '../../lib/host/storage/mount-users.ts';
import { isMountedStill, type Mount } from '../../lib/host/storage/mounts.ts';
import { usersInTheWay } from '../../lib/host/storage/propagation.ts';
import { signalName } from '../../lib/host/sys/signals.ts';
import { isDeafTo } from './deaf.ts';
import type { Families } from './families.ts';
import { readSeconds } from './force.ts';
import type { Ctx } from './params.ts';

/** Of the names in a log line. */
const mostNamed = 10;
const longestLookMs = 100;

/**
 * Signals every process that uses the mount, and who starts them anew, as `evictAll`. A quick search that finds nobody is followed by a
 * thorough one, which finds the users of copies that must go with the mount, too.
 * The table is read once more right before: whoever uses the directory below a mount that is gone is no business of ours.
 */
export async function evict(
  ctx: Ctx,
  mount: Mount,
  signal: number,
  until: number,
  search: Search,
  families: Families,
  /** Only those who ignore all of these. */
  ignored: readonly number[] = [],
): Promise<boolean> {
  const { host, log } = ctx;
  const seen = search === 'quick' ? await processesUsing(host, mount, search, until) : [];
  const users = seen.length > 0 ? seen : await usersInTheWay(host, mount, 'thorough', until);
  if (users.length === 0 || !(await isMountedStill(host, mount))) return false;
  const behind = await families.behind(users, (sentence) =>
    log.warn(`${mount.target} stays busy: ${sentence}`),
  );
  const all = [...behind, ...users];
  if (ignored.length === 0) return evictAll(ctx, all, signal, until, `${mount.target} is busy`);
  const deaf: MountUser[] = [];
  for (const user of all) if (await isDeafTo(host, user.pid, ignored)) deaf.push(user);
  const names = ignored.map(signalName).join(', ');
  return evictAll(ctx, deaf, signal, until, `${mount.target} is busy, and ${names} ignored`);
}

/** Signals them and waits for their end, for at most signal_delay. Returns whether one of them could be signalled. */
export async function evictAll(
  { params, host, log }: Ctx,
  users: readonly MountUser[],
  signal: number,
  until: number,
  why: string,
): Promise<boolean> {
  const signalled: MountUser[] = [];
  const isProtected = await neverEnded(host);
  for (const user of users)
    if (!(await isProtected(user)) && host.sys.signal(user, signal)) signalled.push(user);
  if (signalled.length === 0) return false;
  log.info(`sent ${signalName(signal)} to ${nameUsers(signalled)}: ${why}`);
  const delayMs = (readSeconds(params.signal_delay) ?? 1) * 1000;
  await host.until(
    () => haveEnded(host, signalled),
    Math.min(delayMs, until - host.sys.now()),
    longestLookMs,
  );
  return true;
}

async function haveEnded(host: Host, users: readonly MountUser[]): Promise<boolean> {
  for (const user of users) if (await isStillThere(host, user)) return false;
  return true;
}

export function nameUsers(users: readonly MountUser[], most = mostNamed): string {
  const named = users.slice(0, most).map(({ name, pid, how }) => `${name}[${pid}] (${how})`);
  return named.join(', ') + (users.length > most ? ` and ${users.length - most} more` : '');
}
