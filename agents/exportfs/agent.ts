import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor } from './monitor.ts';
import { params } from './params.ts';
import { rules } from './rules.ts';
import { reloadAgent, start } from './start.ts';
import { stop } from './stop.ts';
import { stopTimeout, validate } from './validate.ts';

export const exportfs = defineAgent({
  name: 'exportfs',
  version: '1.0',
  short: 'Manages NFS exports',
  params,
  needs: ['exportfs'],
  rules,
  actions: {
    start: { timeout: '40s', run: start },
    stop: { timeout: `${stopTimeout}s`, run: stop },
    monitor: { timeout: '20s', interval: '10s', run: monitor },
    'reload-agent': { timeout: '40s', run: reloadAgent },
    'validate-all': { timeout: '30s', run: validate },
  },
});
