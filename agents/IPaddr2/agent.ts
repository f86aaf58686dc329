import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor, reload } from './monitor.ts';
import { params } from './params.ts';
import { rules } from './rules.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';
import { validate } from './validate.ts';

export const ipaddr2 = defineAgent({
  name: 'IPaddr2',
  version: '1.0',
  short: 'Service IP address that moves with its resource',
  params,
  needs: ['ip'],
  rules,
  actions: {
    start: { timeout: '20s', run: start },
    stop: { timeout: '20s', run: stop },
    monitor: { timeout: '20s', interval: '10s', depth: 0, run: monitor },
    'validate-all': { timeout: '20s', run: validate },
    'reload-agent': { timeout: '20s', run: reload },
  },
});
