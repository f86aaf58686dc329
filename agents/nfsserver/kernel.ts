import type { Log } from '../../lib/contract/log.ts';
import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import { isThere, readIfThere } from '../../lib/host/local-files.ts';
import { keepText, keptText } from './kept.ts';
import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';

// Numbers of the kernel that nfsd and lockd read when they start. A number stays in force after the server has stopped, for the
// next server on this node, whoever starts it. So start remembers what was there, and stop writes it back.

const lease = '/proc/fs/nfsd/nfsv4leasetime';
const grace = '/proc/fs/nfsd/nfsv4gracetime';
const lockGrace = '/proc/sys/fs/nfs/nlm_grace_period';
const lockTcp = '/proc/sys/fs/nfs/nlm_tcpport';
const lockUdp = '/proc/sys/fs/nfs/nlm_udpport';

/** The kernel's own lease and grace time, in seconds. */
export const defaultTime = 90;
/** lockd takes no more for its own grace period. */
const longestTime = 240;
/** Of a lease and a grace time that nfsd takes. */
const shortestTime = 10;
const nfsdsLongest = 3600;

/** Which protocol versions are on. rpc.nfsd switches those that it is told of; the others stay as the server before left them. */
const versions = '/proc/fs/nfsd/versions';

/** Files of the kernel and the numbers they held before the start. */
type Before = { readonly [file: string]: { readonly was: number; readonly set: number } };
const fact = 'kernel';
const versionsFact = 'versions';

export type Times = {
  readonly leaseTime: number | undefined;
  readonly graceTime: number | undefined;
  /** lockd's, where it has one of its own. */
  readonly lockGraceTime: number | undefined;
};

/** What the server is to be told; `undefined` where nothing needs to be said. */
export async function timesOf(ctx: Ctx, facts: Survey, isNewState: boolean): Promise<Times> {
  const times = await nfsdTimes(ctx, facts, isNewState);
  const lockGraceTime = ctx.params.lockd_grace_time;
  if (lockGraceTime === undefined) return { ...times, lockGraceTime };
  // rpc.nfsd is told no grace time then (settings.ts), so the kernel is told what others have set. With the lease, or with neither: where
  // nfs-utils does not read nfs.conf, a grace time out of it would be shorter than the kernel's lease.
  return {
    leaseTime: times.leaseTime ?? secondsSaid(facts, 'lease-time'),
    graceTime: times.graceTime ?? secondsSaid(facts, 'grace-time'),
    lockGraceTime,
  };
}

/** What nfsd_args, else nfs.conf says, read as nfs-utils does; `undefined` for what the kernel would refuse. */
export function secondsSaid(
  { nfsd, conf }: Pick<Survey, 'nfsd' | 'conf'>,
  key: 'lease-time' | 'grace-time',
): number | undefined {
  const seconds = Number.parseInt(nfsd[key] ?? conf.get('nfsd', key) ?? '', 10);
  return seconds >= shortestTime && seconds <= nfsdsLongest ? seconds : undefined;
}

async function nfsdTimes(
  ctx: Ctx,
  facts: Survey,
  isNewState: boolean,
): Promise<Omit<Times, 'lockGraceTime'>> {
  const { nfs_lease_time: leaseTime, nfs_grace_time: wanted } = ctx.params;
  const configured = (key: 'lease-time' | 'grace-time') => secondsSaid(facts, key) ?? defaultTime;
  const inForce = leaseTime ?? configured('lease-time');
  if (wanted !== undefined && wanted < inForce)
    throw new Failure(
      'invalidHere',
      `nfs_grace_time=${wanted} is shorter than the lease of ${inForce} s: clients would lose locks; set nfs_lease_time too`,
    );
  const former = await formerLease(ctx, inForce, isNewState ? inForce : configured('lease-time'));
  // without parameters the administrator's times stand, or the kernel's
  if (leaseTime === undefined && wanted === undefined && former <= inForce)
    return { leaseTime, graceTime: wanted };
  const needed = Math.min(longestTime, Math.max(inForce, former));
  const isEnough = (wanted ?? configured('grace-time')) >= needed;
  return { leaseTime, graceTime: isEnough ? wanted : needed };
}

const leaseFile = 'lease-time';
/** The lease that a shorter grace period may be counted by, once clients have had the time of the longer one before. */
const leaseFact = 'lease';

/**
 * The longest lease that clients may know of, kept with the state by every start. NFSv4 clients look in once per lease at least: a grace
 * period shorter than the lease they know is over before the last one has noticed the restart, and its locks are lost. A shorter one is
 * written down only when the grace period of a server with it is over: until then another start has the same clients.
 */
async function formerLease(ctx: Ctx, now: number, unknown: number): Promise<number> {
  const { host, log, memory } = ctx;
  const kept = Number(await keptText(host, log, leaseFile, 64)) || undefined;
  const former = kept ?? unknown;
  const longest = Math.max(former, now);
  if (kept !== longest) await keepLease(ctx, longest);
  await memory.hint(leaseFact, former > now ? now : undefined);
  if (former > now)
    log.info(`clients know a lease of ${former} s: the grace period is not shorter this time`);
  return former;
}

/** Says whether it is on record. */
const keepLease = ({ host, log }: Ctx, lease: number): Promise<boolean> =>
  keepText(host, leaseFile, `${lease}`).then(
    () => true,
    (error) => {
      log.warn(`the lease is not on record for the next start: ${wordsOf(error)}`);
      return false;
    },
  );

/** A monitor's part of it. Never fails. */
export async function noteShorterLease(ctx: Ctx): Promise<void> {
  const now = await ctx.memory.fact<number>(leaseFact);
  if (now === undefined || !(await isGraceOver(ctx.host))) return;
  if (await keepLease(ctx, now)) await ctx.memory.hint(leaseFact, undefined);
}

/** Whether no NFSv4 client may claim any more. A nfsd that hangs is another's affair. */
export const isGraceOver = async (host: Host): Promise<boolean> =>
  (await textOf(host, '/proc/fs/nfsd/v4_end_grace').catch(() => undefined))?.startsWith('Y') ?? false;

/** Tells the kernel, while no thread runs: it refuses later. */
export async function setNumbers(ctx: Ctx, { leaseTime, graceTime, lockGraceTime }: Times): Promise<void> {
  const { host, params, memory, log } = ctx;
  const wanted = (
    [
      [lease, leaseTime],
      [grace, graceTime],
      [lockGrace, lockGraceTime ?? graceTime],
      [lockTcp, params.lockd_tcp_port],
      [lockUdp, params.lockd_udp_port],
    ] as const
  ).flatMap(([file, value]) => (value === undefined ? [] : [[file, value] as const]));
  const changesVersions = params.nfsv4_only || /-[NV]|nfs-version/.test(params.nfsd_args ?? '');
  if (wanted.length === 0 && !changesVersions) return;
  await loadNfsd(host);
  if (changesVersions && (await memory.fact<string>(versionsFact)) === undefined)
    await memory.note(versionsFact, await textOf(host, versions));
  const before: Record<string, { was: number; set: number }> = { ...(await memory.fact<Before>(fact)) };
  for (const [file, set] of wanted) {
    const was = await numberIn(host, file);
    if (Number.isNaN(was)) {
      log.warn(`the kernel has no ${file}: ${set} cannot be set there`);
      continue;
    }
    before[file] = { was: before[file]?.was ?? was, set };
    await memory.note(fact, before);
    if (was !== set)
      await put(host, file, `${set}\n`).catch(({ message }: Error) => {
        throw new Failure('failed', `the kernel does not take ${set} for ${file}: ${message}`);
      });
  }
}

/**
 * Whoever started the server may have told lockd otherwise; it has begun to count by then. What nfsdctl has told it (Linux 6.15) counts more
 * than the number in /proc, and stays until lockd is loaded anew.
 */
export async function warnOtherLockGrace({ host, params, log }: Ctx): Promise<void> {
  const wanted = params.lockd_grace_time;
  if (wanted === undefined) return;
  const is = await numberIn(host, lockGrace);
  if (!Number.isNaN(is) && is !== wanted)
    log.warn(`lockd_grace_time=${wanted} has no effect: ${lockGrace} is ${is} since the server was started`);
  if (!(await host.sys.has('nfsdctl'))) return;
  const { stdout } = await host.tryRun(['nfsdctl', 'nlm'], { timeoutMs: mutexMs });
  const told = Number(/\bgracetime: (\d+)/.exec(stdout)?.[1] ?? 0);
  if (told !== 0 && told !== wanted)
    log.warn(
      `lockd_grace_time=${wanted} has no effect until this node is rebooted: nfsdctl has told lockd ${told} s before (nfsdctl nlm)`,
    );
}

/** nfsd answers for its own files under a mutex that a shutdown with a dead disk never gives back: only a child may wait for it. */
const hasMutex = (file: string): boolean => file.startsWith('/proc/fs/nfsd/');
const mutexMs = 3000;

/** `undefined` where the kernel has no such file. Throws `Failure` when it does not answer. */
async function textOf(host: Host, file: string): Promise<string | undefined> {
  if (!hasMutex(file)) return host.sys.read(file).catch(() => undefined);
  const argv = ['cat', file] as const;
  const output = await host.tryRun(argv, { timeoutMs: mutexMs });
  if (output.hung) throw commandFailure(argv, output);
  return output.code === 0 ? output.stdout : undefined;
}

const numberIn = async (host: Host, file: string): Promise<number> =>
  Number(((await textOf(host, file)) ?? 'none').trim());

async function put(host: Host, file: string, text: string): Promise<void> {
  if (hasMutex(file)) await host.run(['tee', file], { input: text, timeoutMs: mutexMs });
  else await host.sys.poke(file, text);
}

/**
 * Ends the grace period of lockd, and of no one else: every new lock, of NFSv4 clients too, waits for it. For a server whose state
 * names no NFSv3 client: nobody can be told to claim a lock again, so nobody will. sm-notify does the same.
 */
export async function endLockGrace(host: Host, log: Log): Promise<void> {
  const file = '/proc/fs/lockd/nlm_end_grace';
  const isOver = (await readIfThere(host, file)) ?? 'Y'; // lockd does not run without NFSv3
  if (isOver.startsWith('Y')) return;
  try {
    await host.sys.poke(file, 'Y\n');
    log.info('no NFSv3 client is on record: new locks need not wait for lockd');
  } catch (error) {
    log.warn(`the grace period of lockd goes on: ${error instanceof Error ? error.message : error}`);
  }
}

/** The files exist once the modules are loaded and nfsd's filesystem is mounted; systemd would do it as the server starts. */
export async function loadNfsd(host: Host): Promise<void> {
  // only looked for: reading it waits for a mutex that a shutdown with a dead disk never gives back
  if (await isThere(host, lease)) return;
  await host.tryRun(['modprobe', '-q', 'nfsd']);
  if (await isThere(host, lease)) return;
  await host.tryRun(['mount', '-t', 'nfsd', 'nfsd', '/proc/fs/nfsd']);
}

/** Gives back what was there before, unless somebody else has changed it since. */
export async function restoreNumbers({ host, memory, log }: Ctx): Promise<void> {
  const before = await memory.fact<Before>(fact);
  const on = await memory.fact<string>(versionsFact);
  const told = (file: string, work: Promise<void>) =>
    work.catch(({ message }: Error) => log.warn(`${file} stays as it is: ${message}`));
  const giveBack = async (file: string, was: number, set: number) => {
    if (set !== was && (await numberIn(host, file)) === set) await put(host, file, `${was}\n`);
  };
  for (const [file, { was, set }] of Object.entries(before ?? {})) await told(file, giveBack(file, was, set));
  await memory.note(fact, undefined);
  if (on !== undefined) await told(versions, put(host, versions, whole(on)));
  await memory.note(versionsFact, undefined);
}

/** The kernel names version 4.0 only when it is off. */
const whole = (on: string): string =>
  /\+4(\s|$)/.test(on) && !on.includes('4.0') ? `${on.trim()} +4.0\n` : on;
