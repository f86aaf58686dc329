import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor } from './monitor.ts';
import { params } from './params.ts';
import { readArgs } from './wanted.ts';

export const nfsnotify = defineAgent({
  name: 'nfsnotify',
  short: 'Tells NFSv3 clients that the server began anew, so that they claim their locks again',
  params,
  needs: [],
  rules({ notify_args }) {
    const args = readArgs(notify_args);
    return typeof args === 'string' ? [args] : [];
  },
  actions: {
    start: { timeout: '90s', run: async (ctx) => (await import('./start.ts')).start(ctx) },
    stop: { timeout: '90s', run: async (ctx) => (await import('./stop.ts')).stop(ctx) },
    monitor: { timeout: '90s', interval: '30s', run: monitor },
    'validate-all': { timeout: '20s', run: async (ctx) => (await import('./validate.ts')).validate(ctx) },
    reload: { timeout: '90s', run: async (ctx) => (await import('./reload.ts')).reload(ctx) },
    'reload-agent': { timeout: '20s', run: async () => {} }, // only the trace parameters can change
  },
});
