import { Failure, type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { announceAgain, reportAnnouncer } from './announce.ts';
import type { Ctx } from './params.ts';
import { look, sentence, type Verdict } from './served.ts';
import { type Wanted, wanted } from './wanted.ts';

/** Detection starts anew after every loss of link and takes one to three seconds. */
const detectionMs = 5000;

export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const want = wanted(ctx);
  if (want === undefined) return notRunning(`ip=${ctx.params.ip} is not an address`);
  const verdict = await settled(ctx, want);
  switch (verdict.is) {
    case 'served':
      await reportAnnouncer(ctx);
      await announceAgain(ctx, want, verdict.at);
      return 'ok';
    case 'no interface':
      if (ctx.request.probe) return notRunning(sentence(want, verdict));
      throw new Failure('failed', sentence(want, verdict));
    case 'other label':
    case 'tentative':
    case 'duplicate':
    case 'unguarded':
      throw new Failure('failed', sentence(want, verdict));
    default:
      return notRunning(sentence(want, verdict));
  }
}

/** A look that waits for duplicate address detection to end. */
export async function settled(ctx: Ctx, want: Wanted, withinMs = detectionMs): Promise<Verdict> {
  let verdict = await look(ctx, want);
  if (verdict.is !== 'tentative') return verdict;
  await ctx.host.until(
    async () => {
      verdict = await look(ctx, want);
      return verdict.is !== 'tentative';
    },
    withinMs,
    50,
  );
  return verdict;
}

/** Whatever can change without a restart is read anew at every call: there is nothing to apply, but something must run. */
export async function reload(ctx: Ctx): Promise<void> {
  const want = wanted(ctx);
  if (want === undefined) return;
  const verdict = await look(ctx, want);
  if (verdict.is !== 'served') throw new Failure('failed', sentence(want, verdict));
}
