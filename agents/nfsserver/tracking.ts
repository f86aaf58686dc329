import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';

// Who writes down which NFSv4 clients have locks. nfsd asks nfsdcld once, as it starts, and goes on without when that cannot write its
// database: nothing fails then, but at the next restart no client may claim its locks. Only the kernel's log tells.

const patienceMs = 3000;

/**
 * The kernel's last words about it, with their stamp: as a clock that is none, which stands still while the machine sleeps. `undefined`
 * when it said nothing, as before Linux 5.2.
 *
 *     [   41.307713] NFSD: Using nfsdcld client tracking operations.
 *     [   41.307713] NFSD: Using legacy client tracking operations.
 *     [   41.307713] NFSD: Unable to initialize client recovery tracking! (-110)
 *                          (1)
 */
export async function lastTracking({ host }: Ctx): Promise<Tracking | undefined> {
  const { stdout } = await host.tryRun(['dmesg', '--color=never'], { timeoutMs: patienceMs });
  const said = stdout.matchAll(/^\[ *\d+\.\d+\] NFSD: (.*client(?: recovery)? tracking.*)$/gm);
  const [line, words] = [...said].at(-1) ?? [];
  return line === undefined || words === undefined ? undefined : { line, words };
}

export type Tracking = { readonly line: string; readonly words: string };

const isNfsdcld = (said: string): boolean => /^Using (old )?nfsdcld\b/.test(said);

const fact = 'untracked';
const lastFact = 'tracking';
const warning = (said: string): string =>
  `NFSv4 clients are not written down and would lose their locks at a restart: the kernel says "${said}"`;

/**
 * Whether nfsdcld was heard by the server that has started since the kernel said `before`: a warning if not, and one of every monitor.
 * Where there is no nfsdcld the kernel may write clients down itself, or have it done.
 */
export async function askTracking(
  ctx: Ctx,
  { daemons }: Survey,
  before: Tracking | undefined,
): Promise<void> {
  const { log, memory } = ctx;
  const now = await lastTracking(ctx);
  const hasNfsdcld = daemons.some(({ process }) => process === 'nfsdcld');
  const isWell = (said: string) => isNfsdcld(said) || (!hasNfsdcld && !said.startsWith('Unable'));
  const complaint =
    now === undefined || now.line === before?.line || isWell(now.words) ? undefined : now.words;
  await memory.hint(fact, complaint);
  await memory.hint(lastFact, now);
  if (complaint !== undefined) log.warn(warning(complaint));
}

/** What the kernel had said when it was asked last. */
export const knownTracking = ({ memory }: Ctx): Promise<Tracking | undefined> =>
  memory.fact<Tracking>(lastFact);

/** A monitor's words for it. */
export async function warnUntracked(ctx: Ctx): Promise<void> {
  const said = await ctx.memory.fact<string>(fact);
  if (said !== undefined) ctx.log.warn(warning(said));
}
