import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor } from './monitor.ts';
import { params } from './params.ts';
import { rules } from './rules.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';
import { validate } from './validate.ts';

export const filesystem = defineAgent({
  name: 'Filesystem',
  version: '0.1.0',
  short: 'Manages filesystem mounts',
  params,
  needs: ['mount', 'umount'],
  rules,
  actions: {
    start: { timeout: '60s', run: start },
    stop: { timeout: '60s', run: stop },
    monitor: {
      timeout: '40s',
      interval: '20s',
      depths: [10, 20],
      run: monitor,
    },
    'validate-all': { timeout: '5s', run: validate },
    /** Every reloadable parameter is read anew by the action that uses it. */
    'reload-agent': { timeout: '60s', run: async () => {} },
  },
});
