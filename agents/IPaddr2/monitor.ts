import { Failure, type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import { reportAnnouncer } from './complaints.ts';
import type { Ctx } from './params.ts';
import { look, type Seen, sentence } from './seen.ts';
import { lookAtShare } from './share.ts';
import { type Wanted, wanted } from './wanted.ts';

/** Detection starts anew after every loss of link and takes one to three seconds. */
const detectionMs = 5000;

export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const want = wanted(ctx);
  if (want === undefined) return notRunning(`ip=${ctx.params.ip} is not an address`);
  const seen = await settled(ctx, want);
  switch (seen.is) {
    case 'served':
      await reportAnnouncer(ctx);
      if (isRepeated(ctx, want)) await (await import('./announce.ts')).announceAgain(ctx, want);
      return 'ok';
    case 'no interface':
      if (ctx.request.probe) return notRunning(sentence(want, seen));
      throw new Failure('failed', sentence(want, seen));
    case 'link down':
    case 'other prefix':
      if (ctx.request.probe && (await isOurs(ctx, want, seen.at.link.name)))
        throw new Failure('failed', sentence(want, seen));
      return notRunning(sentence(want, seen));
    case 'renamed':
    case 'lost namespace':
    case 'other label':
    case 'tentative':
    case 'duplicate':
    case 'outdated share':
    case 'unguarded':
      throw new Failure('failed', sentence(want, seen));
    default:
      return notRunning(sentence(want, seen));
  }
}

/** Whether a monitor announces the address, too: a look before a start does not. */
const isRepeated = ({ params, request }: Ctx, { family }: Wanted): boolean =>
  params.arp_count_refresh > 0 && family === 'inet' && !(request.probe && request.byPacemaker);

/**
 * To a probe an address that stands idle here is a failure, which Pacemaker stops before it starts the address elsewhere. After a 7 it would
 * leave the address here, and two nodes would answer for it once the link is back. A Cluster-IP's without this instance's share is another
 * instance's.
 */
const isOurs = async (ctx: Ctx, want: Wanted, nic: string): Promise<boolean> =>
  (await lookAtShare(ctx, want, nic)) !== 'not taken';

/** A look that waits for duplicate address detection to end. */
export async function settled(ctx: Ctx, want: Wanted, withinMs = detectionMs): Promise<Seen> {
  let seen = await look(ctx, want);
  if (seen.is !== 'tentative') return seen;
  await ctx.host.until(
    async () => {
      seen = await look(ctx, want);
      return seen.is !== 'tentative';
    },
    withinMs,
    50,
  );
  return seen;
}

/** Whatever can change without a restart is read anew at every call: there is nothing to apply, but something must run. */
export async function reload(ctx: Ctx): Promise<void> {
  const want = wanted(ctx);
  if (want === undefined) return;
  const seen = await look(ctx, want);
  if (seen.is !== 'served') throw new Failure('failed', sentence(want, seen));
}
