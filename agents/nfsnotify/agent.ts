import { endSender } from '../../lib/host/lock-sender.ts';
import { defineAgent } from '../../lib/ocf/agent.ts';
import type { Health } from '../../lib/ocf/outcome.ts';
import { rememberConnections } from './connections.ts';
import { dropStockMarker, mark, verdict } from './marker.ts';
import { readOptions } from './options.ts';
import { type Ctx, params } from './params.ts';
import { again, start } from './start.ts';

async function monitor(ctx: Ctx): Promise<Health> {
  const health = await verdict(ctx);
  if (health === 'ok' && !ctx.request.probe) await rememberConnections(ctx);
  return health;
}

/** Nothing of ours may keep the state directory busy when the NFS server stops next. */
async function stop(ctx: Ctx): Promise<void> {
  await rememberConnections(ctx);
  await endSender(ctx.host, ctx.memory);
  await mark(ctx, undefined);
  await dropStockMarker(ctx);
}

export const nfsnotify = defineAgent({
  name: 'nfsnotify',
  version: '1.0',
  short: 'Tells NFSv3 clients that the server began anew, so that they claim their locks again',
  params,
  needs: [],
  rules({ notify_args }) {
    const options = readOptions(notify_args);
    return typeof options === 'string' ? [options] : [];
  },
  actions: {
    start: { timeout: '90s', run: start },
    stop: { timeout: '90s', run: stop },
    monitor: { timeout: '90s', interval: '30s', run: monitor },
    'validate-all': { timeout: '20s' },
    reload: { timeout: '90s', run: again },
    'reload-agent': { timeout: '20s', run: async () => {} }, // only the trace parameters can change
  },
});
