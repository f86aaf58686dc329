import { defineAgent } from '../../lib/ocf/agent.ts';
import { rules } from './clone.ts';
import { demote } from './demote.ts';
import { monitor } from './monitor.ts';
import { notify } from './notify.ts';
import { params } from './params.ts';
import { promote } from './promote.ts';
import { reload } from './reload.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';
import { validate } from './validate.ts';

export const drbd = defineAgent({
  name: 'drbd',
  version: '1.0',
  short: 'Manages a DRBD resource as a promotable clone',
  params,
  needs: ['drbdadm', 'drbdsetup'],
  rules,
  actions: {
    start: { timeout: '240s', run: start },
    promote: { timeout: '90s', run: promote },
    demote: { timeout: '90s', run: demote },
    notify: { timeout: '90s', run: notify },
    stop: { timeout: '100s', run: stop },
    monitor: {
      timeout: '20s',
      interval: '20s',
      role: 'Unpromoted',
      also: [{ timeout: '20s', interval: '10s', role: 'Promoted' }],
      run: monitor,
    },
    'validate-all': { timeout: '20s', run: validate },
    'reload-agent': { timeout: '30s', run: reload },
    reload: { timeout: '30s', run: reload },
  },
});
