import type { Health } from '../../lib/contract/outcome.ts';
import { defineAgent } from '../../lib/ocf/agent.ts';
import { rememberConnections } from './connections.ts';
import { verdict } from './marker.ts';
import { readOptions } from './options.ts';
import { type Ctx, params } from './params.ts';

async function monitor(ctx: Ctx): Promise<Health> {
  const health = await verdict(ctx);
  if (health === 'ok' && !ctx.request.probe) await rememberConnections(ctx);
  return health;
}

export const nfsnotify = defineAgent({
  name: 'nfsnotify',
  short: 'Tells NFSv3 clients that the server began anew, so that they claim their locks again',
  params,
  needs: [],
  rules({ notify_args }) {
    const options = readOptions(notify_args);
    return typeof options === 'string' ? [options] : [];
  },
  actions: {
    start: { timeout: '90s', run: async (ctx) => (await import('./start.ts')).start(ctx) },
    stop: { timeout: '90s', run: async (ctx) => (await import('./stop.ts')).stop(ctx) },
    monitor: { timeout: '90s', interval: '30s', run: monitor },
    'validate-all': { timeout: '20s' },
    reload: { timeout: '90s', run: async (ctx) => (await import('./start.ts')).again(ctx) },
    'reload-agent': { timeout: '20s', run: async () => {} }, // only the trace parameters can change
  },
});
