import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor } from './monitor.ts';
import { params } from './params.ts';
import { rules } from './rules.ts';

export const filesystem = defineAgent({
  name: 'Filesystem',
  short: 'Manages filesystem mounts',
  params,
  needs: ['mount', 'umount'],
  rules,
  actions: {
    start: { timeout: '60s', run: async (ctx) => (await import('./start.ts')).start(ctx) },
    stop: { timeout: '60s', run: async (ctx) => (await import('./stop.ts')).stop(ctx) },
    monitor: {
      timeout: '40s',
      interval: '20s',
      depths: [10, 20],
      run: monitor,
    },
    'validate-all': { timeout: '5s', run: async (ctx) => (await import('./validate.ts')).validate(ctx) },
    /** Every reloadable parameter is read anew by the action that uses it. */
    'reload-agent': { timeout: '60s', run: async () => {} },
  },
});
