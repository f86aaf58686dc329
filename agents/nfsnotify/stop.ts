import { endSender } from '../../lib/host/nfs/nsm-sender.ts';
import { rememberConnections } from './connections.ts';
import type { Ctx } from './params.ts';
import { dropStockMark, noteDone } from './seen.ts';

/** Nothing of ours may keep the state directory busy when the NFS server stops next. */
export async function stop(ctx: Ctx): Promise<void> {
  await rememberConnections(ctx);
  await endSender(ctx.host, ctx.memory);
  await noteDone(ctx, undefined);
  await dropStockMark(ctx);
}
