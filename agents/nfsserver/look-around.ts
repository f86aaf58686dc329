import { allowAfterGrace } from './delegations.ts';
import { noteShorterLease } from './kernel.ts';
import { keepOnList } from './old-clients.ts';
import type { Ctx } from './params.ts';
import { copyIfWanted } from './records.ts';
import { watchRoom } from './reserve.ts';
import { warnUntracked } from './tracking.ts';

/** What a monitor of a server that serves does besides: no reason to fail, but for a warning. */
export async function lookAround(ctx: Ctx): Promise<void> {
  await copyIfWanted(ctx);
  await warnUntracked(ctx);
  await allowAfterGrace(ctx);
  await noteShorterLease(ctx);
  await keepOnList(ctx);
  await watchRoom(ctx);
}
