import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';

// Who writes down which NFSv4 clients have locks. nfsd asks nfsdcld once, as it starts, and goes on without when that cannot write its
// database: nothing fails then, but at the next restart no client may claim its locks. Only the kernel's log tells.

const patienceMs = 3000;

/**
 * What the kernel said last, after a moment, in seconds since boot; `undefined` when it said nothing, as before Linux 5.2.
 *
 *     [   41.307713] NFSD: Using nfsdcld client tracking operations.
 *     [   41.307713] NFSD: Using legacy client tracking operations.
 *     [   41.307713] NFSD: Unable to initialize client recovery tracking! (-110)
 *      (1)                 (2)
 */
function trackingSaid(log: string, since: number): string | undefined {
  const said = /^\[ *(\d+\.\d+)\] NFSD: (.*client(?: recovery)? tracking.*)$/gm;
  return [...log.matchAll(said)].filter(([, at]) => !(Number(at) < since)).at(-1)?.[2];
}

const isNfsdcld = (said: string): boolean => /^Using (old )?nfsdcld\b/.test(said);

const fact = 'untracked';
const warning = (said: string): string =>
  `NFSv4 clients are not written down and would lose their locks at a restart: the kernel says "${said}"`;

/** Whether nfsdcld was heard by the server that started after a moment: a warning if not, and one of every monitor. */
export async function askTracking(ctx: Ctx, { daemons }: Survey, since: number): Promise<void> {
  const { host, log, memory } = ctx;
  if (!daemons.some(({ process }) => process === 'nfsdcld')) return memory.hint(fact, undefined);
  const { stdout } = await host.tryRun(['dmesg', '--color=never'], { timeoutMs: patienceMs });
  const said = trackingSaid(stdout, since);
  const complaint = said === undefined || isNfsdcld(said) ? undefined : said;
  await memory.hint(fact, complaint);
  if (complaint !== undefined) log.warn(warning(complaint));
}

/** A monitor's words for it. */
export async function warnUntracked(ctx: Ctx): Promise<void> {
  const said = await ctx.memory.fact<string>(fact);
  if (said !== undefined) ctx.log.warn(warning(said));
}
