import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, firstLine, type Host } from '../../lib/host/host.ts';
import { flushKernelExports } from '../../lib/host/nfs/export-flush.ts';
import { kernelExports } from '../../lib/host/nfs/exports.ts';
import { isStillThere } from '../../lib/host/process-table.ts';
import { type MountUser, processesUsing, type Search } from '../../lib/host/storage/mount-users.ts';
import { isMountedStill, isWithin, type Mount } from '../../lib/host/storage/mounts.ts';
import { usersInTheWay } from '../../lib/host/storage/propagation.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { evict, nameUsers } from './evict.ts';
import { Families } from './families.ts';
import { readForce, signalsOf } from './force.ts';
import { isServed } from './fstypes.ts';
import { kernelUsers } from './holders.ts';
import type { Ctx } from './params.ts';

/** Until when, in `host.sys.now()`, a stop insists in which way. */
export type Phase = {
  readonly until: number;
  readonly signals: readonly number[];
  /** `umount -f`, which makes a server's filesystem give up what it waits for. */
  readonly force: boolean;
};

const fastStopMs = 6000;
/** After so long whoever ignores all signals of a phase gets the next one's: a half of a long timeout would be waited for in vain. */
const deafMs = 3000;
/** For finding out who is in the way: every process is looked at, of which there may be thousands. */
const explainMs = 3000;
/** Of what is left then: a reason that comes too late is none. */
const explainShare = 0.8;
const flushMs = 5000;
const firstPauseMs = 50;
const longestPauseMs = 1000;
/** In a reason, which Pacemaker cuts; the log has more. */
const namedInReason = 3;

/** The gentle half and the forceful half of the time, shared by everything a stop unmounts; a rest is kept for explaining. */
export function stopPhases({ params, host }: Ctx): readonly Phase[] {
  const { evict: mayEvict } = readForce(params.force_unmount);
  const signals = (text: string) => (mayEvict ? signalsOf(text) : []);
  const left = host.left();
  const untilShortlyBefore = left - Math.min(explainMs, left / 4);
  const budget = params.fast_stop ? Math.min(untilShortlyBefore, fastStopMs) : untilShortlyBefore;
  const now = host.sys.now();
  return [
    { until: now + budget / 2, signals: signals(params.term_signals), force: false },
    { until: now + budget, signals: signals(params.kill_signals), force: mayEvict },
  ];
}

/**
 * Unmounts one mount, and ends whoever keeps it busy as far as `force_unmount` allows. Returns when it is not there any more: who asked
 * looks whether it is elsewhere, because a directory above it was renamed.
 */
export async function unmount(ctx: Ctx, mount: Mount, phases: readonly Phase[]): Promise<void> {
  const { host, log } = ctx;
  let attempt = await tryUnmount(ctx, mount, false);
  let said = '';
  let search: Search = 'quick';
  let flushed = false;
  let known: readonly MountUser[] | undefined;
  const families = new Families(host);
  for (const [index, { until, signals, force }] of phases.entries()) {
    const toTheDeaf = phases[index + 1]?.signals ?? [];
    let pause = firstPauseMs;
    let signalledAt: number | undefined;
    while (!attempt.done && host.sys.now() < until) {
      if (attempt.why !== said) log.warn(attempt.why);
      said = attempt.why;
      // One file tells of old exports, thousands tell of processes: a flush comes first, but never twice in a row.
      flushed = !flushed && (await forgetOldExports(ctx, mount, until));
      if (flushed) {
        attempt = await tryUnmount(ctx, mount, force);
        continue;
      }
      // Nobody may be ended: there is time now to find out who it is, at the end there may be none.
      if (signals.length === 0) known ??= await usersInTheWay(host, mount, 'thorough', until);
      let evicted = false;
      for (const signal of signals)
        evicted = (await evict(ctx, mount, signal, until, search, families)) || evicted;
      if (evicted) signalledAt ??= host.sys.now();
      if (signalledAt !== undefined && host.sys.now() - signalledAt >= deafMs)
        for (const signal of toTheDeaf) await evict(ctx, mount, signal, until, search, families, signals);
      search = 'thorough';
      if (!evicted) {
        await host.sys.sleep(Math.max(1, Math.min(pause, until - host.sys.now())));
        pause = Math.min(pause * 2, longestPauseMs);
      }
      attempt = await tryUnmount(ctx, mount, force);
    }
  }
  if (attempt.done) return;
  const mayForce = phases.some(({ force }) => force);
  if (isElsewhere(mount) && (mayForce || attempt.hung)) return unmountLazily(ctx, mount);
  throw await busyFailure(ctx, mount, attempt.why, known ?? []);
}

/**
 * What the NFS server remembers of exports that are no more keeps a filesystem as busy as an export does, until the kernel tidies up,
 * half a minute later. Says whether there was such. Never what clients may still use: under an export nothing must be unmounted.
 */
async function forgetOldExports({ host, log }: Ctx, mount: Mount, until: number): Promise<boolean> {
  const remembered = (await kernelExports(host)).filter(({ path }) => isWithin(path, mount.target));
  if (remembered.length === 0 || remembered.some(({ valid }) => valid)) return false;
  log.info(
    `the NFS server still remembers ${remembered.map(({ path }) => path).join(', ')}: flushing its cache`,
  );
  await flushKernelExports(host, Math.max(1, Math.min(flushMs, until - host.sys.now())));
  return true;
}

/**
 * Whether the data of a mount is on another machine: only then nothing is lost by force that could still be saved. By the source,
 * not by the type's name: FUSE may have a disk here, and Lustre's servers have theirs.
 */
const isElsewhere = ({ type, device, source }: Mount): boolean =>
  isServed(type) && device.startsWith('0:') && !/^\/[^/]/.test(source);

type Attempt = { readonly done: boolean; readonly why: string; readonly hung: boolean };

/**
 * One umount, judged by the mount table. `-c` because the target is canonical already: without it umount stats the mount point,
 * which hangs with its server.
 */
async function tryUnmount({ host, log }: Ctx, mount: Mount, force: boolean): Promise<Attempt> {
  const served = isElsewhere(mount);
  // something else may be there by now
  if (!(await isMountedStill(host, mount))) return { done: true, why: '', hung: false };
  const argv: Argv = ['umount', '-c', ...(force && served ? ['-f'] : []), mount.target];
  const output = await host.tryRun(argv, served ? { timeoutMs: host.left() / 4 } : {});
  // A local filesystem leaves the table first and writes its data then: only the end of umount says that it is on disk.
  if (output.hung && !served)
    throw new Failure(
      'failed',
      `umount ${mount.target} does not end, data is still on its way to ${mount.source}: ${output.hung}`,
    );
  const done = !(await isMountedStill(host, mount));
  if (done && output.hung)
    log.warn(`${mount.target} is unmounted, but ${mount.source} never answered: ${output.hung}`);
  const why = output.hung || output.missing ? commandFailure(argv, output).message : firstLine(output.stderr);
  return { done, why, hung: output.hung !== undefined };
}

/** Safe for data only where none of it is in this machine's hands: never for a local disk. */
async function unmountLazily({ host, log }: Ctx, mount: Mount): Promise<void> {
  if (!(await isMountedStill(host, mount))) return;
  const argv: Argv = ['umount', '-c', '-i', '-f', '-l', mount.target];
  const output = await host.tryRun(argv);
  if (await isMountedStill(host, mount)) throw commandFailure(argv, output);
  log.warn(
    `${mount.source} does not let go: ${mount.target} was unmounted lazily, what was not yet written to it is lost`,
  );
}

const lookedAtInShort = 'no user in cwd, root, exe, fd, maps, loop, swap, nfsd';
/** A descriptor on its way through a socket (SCM_RIGHTS), or registered with io_uring, is in no table that could be read. */
const lookedAt =
  'No user is to be found among programs, working and root directories, descriptors and mapped files of all processes and threads, loop devices, swap, the NFS server, overlays and other mount namespaces; a descriptor may be on its way between two processes';

/** Of `umount: /m: target is busy.` what is not said by the sentence around it. */
const lastWords = (why: string): string => why.split(': ').at(-1)?.replace(/\.$/, '') ?? why;

async function busyFailure(
  ctx: Ctx,
  mount: Mount,
  why: string,
  known: readonly MountUser[],
): Promise<Failure> {
  const { host, log } = ctx;
  const found: Found = { users: await stillThere(host, known), others: [] };
  const withinMs = host.left() * explainShare;
  await search(ctx, mount, found, host.sys.now() + withinMs);
  const { users, others } = found;
  const all = [nameUsers(users), ...others].filter(Boolean).join('; ');
  log.error(all ? `${mount.target} is in use by ${all}` : `${mount.target}: ${why}. ${lookedAt}`);
  const reason = [nameUsers(users, namedInReason), ...others].filter(Boolean).join('; ');
  return new Failure(
    'failed',
    `Couldn't unmount ${mount.target}: ${reason || `${lastWords(why)}; ${lookedAtInShort}`}`,
  );
}

type Found = { users: readonly MountUser[]; others: readonly string[] };

/** What is known when the time is up is what can be said. */
async function search({ host }: Ctx, mount: Mount, found: Found, until: number): Promise<void> {
  const seen = await processesUsing(host, mount, 'quick', until);
  if (seen.length > 0) found.users = seen;
  if (host.sys.now() >= until) return;
  found.others = await kernelUsers(host, mount, until);
  if (found.users.length > 0) return;
  found.users = await usersInTheWay(host, mount, 'suspects', until);
}

async function stillThere(host: Host, users: readonly MountUser[]): Promise<readonly MountUser[]> {
  const there = await Promise.all(users.map((user) => isStillThere(host, user)));
  return users.filter((_user, index) => there[index]);
}
