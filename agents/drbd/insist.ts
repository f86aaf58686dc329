import { Failure } from '../../lib/contract/outcome.ts';
import { type Admin, drbdadm, lastWord, type Opener, openersIn } from '../../lib/host/drbd/admin.ts';
import { deviceHolders, withOpeners } from '../../lib/host/drbd/holders.ts';
import type { Configured, DrbdState } from '../../lib/host/drbd/state.ts';
import { pursue } from '../../lib/host/drbd/watch.ts';
import type { Output } from '../../lib/host/sys/sys.ts';
import type { Ctx } from './params.ts';
import { notable, reserveMs, secondsSince } from './time.ts';
import { wanted } from './wanted.ts';

type Goal = {
  /** What is being done, `stopping`. */
  readonly what: string;
  /** Whether this is where we want to be. */
  readonly reached: (state: DrbdState) => boolean;
  /** The next step from here; `held` when it was not taken because of these holders, one phrase each. */
  readonly step: (admin: Admin, state: Configured) => Promise<Output | Held>;
};

export type Held = { readonly held: readonly string[] };

/**
 * Looks, takes a step, looks again, until the kernel itself says that the goal is reached. Gives up shortly before the
 * operation's timeout with what is in the way: who keeps the device open and the last complaint.
 */
export async function insist(ctx: Ctx, { reached, step, what }: Goal): Promise<DrbdState> {
  const { host } = ctx;
  const { resource: name, file } = wanted(ctx);
  const admin = drbdadm(host, name, file);
  const since = host.sys.now();
  let state: DrbdState = { is: 'unknown', why: 'no time left to ask' };
  let said = '';
  let held: readonly string[] = [];
  let openers: readonly Opener[] = [];
  const done = await pursue(host, name, host.left() - reserveMs, async (now) => {
    state = now;
    if (reached(now)) return 'done';
    if (now.is === 'unknown') said = now.why;
    // who held it then says nothing about now
    if (now.is !== 'configured') {
      held = [];
      openers = [];
      return 'wait';
    }
    const tried = await step(admin, now);
    held = 'held' in tried ? tried.held : [];
    if ('held' in tried) return 'wait';
    if (tried.code === 0) return 'again';
    said = lastWord(said, tried);
    openers = openersIn(tried);
    return 'wait';
  });
  const waited = secondsSince(host, since);
  if (done) {
    if (said && waited >= notable) ctx.log.info(`${what} ${name} took ${waited} s: ${said}`);
    return state;
  }
  const users = held.length > 0 ? held.join(', ') : await holdersNow(ctx, state, { said, openers });
  const inTheWay = [users, held.length > 0 ? '' : said].filter(Boolean).join(': ');
  throw new Failure('failed', `${what} ${name} failed: ${inTheWay || `no effect after ${waited} s`}`);
}

/** Who keeps the devices open, in a phrase; '' when that is not why it failed. */
export async function holdersNow(
  { host }: Ctx,
  state: DrbdState,
  { said, openers }: { readonly said: string; readonly openers: readonly Opener[] },
  withinMs = host.left() / 2,
): Promise<string> {
  if (state.is !== 'configured') return '';
  const { phrases, isComplete } = await deviceHolders(host, state, withinMs);
  const found = withOpeners(phrases, openers);
  if (found.length > 0) return found.join(', ');
  return isComplete && said.includes('held open') ? 'nobody visible in /proc uses its device' : '';
}
