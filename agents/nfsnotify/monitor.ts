import { Failure, type Health } from '../../lib/contract/outcome.ts';
import { rememberConnections } from './connections.ts';
import type { Ctx } from './params.ts';
import { look, sentence } from './seen.ts';

export async function monitor(ctx: Ctx): Promise<Health> {
  const seen = await look(ctx);
  switch (seen.is) {
    case 'not notified':
      return 'notRunning';
    case 'outdated':
      throw new Failure('failed', sentence(seen));
    case 'waiting for rpc.statd':
      ctx.log.warn(sentence(seen));
      break;
    default:
      break;
  }
  if (!ctx.request.probe) await rememberConnections(ctx);
  return 'ok';
}
