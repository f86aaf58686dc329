import { claim } from './instance.ts';
import { beginList } from './old-clients.ts';
import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';
import { askTracking, type Tracking } from './tracking.ts';

/**
 * The server that runs is this resource's from now on, whoever started it: what is noted of the one before does not hold for it.
 * `before`: what the kernel had said of its clients before it started.
 */
export async function makeOurs(ctx: Ctx, facts: Survey, before: Tracking | undefined): Promise<void> {
  const { host, memory } = ctx;
  await claim(host, memory);
  await beginList(memory);
  await askTracking(ctx, facts, before);
}
