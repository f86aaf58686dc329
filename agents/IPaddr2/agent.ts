import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor, reload } from './monitor.ts';
import { params } from './params.ts';
import { rules } from './rules.ts';

export const ipaddr2 = defineAgent({
  name: 'IPaddr2',
  short: 'Service IP address that moves with its resource',
  params,
  needs: ['ip'],
  rules,
  actions: {
    start: { timeout: '20s', run: async (ctx) => (await import('./start.ts')).start(ctx) },
    stop: { timeout: '20s', run: async (ctx) => (await import('./stop.ts')).stop(ctx) },
    monitor: { timeout: '20s', interval: '10s', depth: 0, run: monitor },
    'validate-all': { timeout: '20s', run: async (ctx) => (await import('./validate.ts')).validate(ctx) },
    'reload-agent': { timeout: '20s', run: reload },
  },
});
