import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor } from './monitor.ts';
import { params, stopTimeout } from './params.ts';
import { rules } from './rules.ts';

export const exportfs = defineAgent({
  name: 'exportfs',
  short: 'Manages NFS exports',
  params,
  needs: ['exportfs'],
  rules,
  actions: {
    start: { timeout: '40s', run: async (ctx) => (await import('./start.ts')).start(ctx) },
    stop: { timeout: `${stopTimeout}s`, run: async (ctx) => (await import('./stop.ts')).stop(ctx) },
    monitor: { timeout: '20s', interval: '10s', run: monitor },
    'reload-agent': {
      timeout: '40s',
      run: async (ctx) => (await import('./reload-agent.ts')).reloadAgent(ctx),
    },
    'validate-all': { timeout: '30s', run: async (ctx) => (await import('./validate.ts')).validate(ctx) },
  },
});
