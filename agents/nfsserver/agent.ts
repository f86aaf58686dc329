import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor } from './monitor.ts';
import { notifyAgain } from './notify.ts';
import { params } from './params.ts';
import { rules } from './rules.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';
import { validate } from './validate.ts';

export const nfsserver = defineAgent({
  name: 'nfsserver',
  version: '1.0',
  short: 'Runs the kernel NFS server with its state on the failover filesystem',
  params,
  needs: ['systemctl', 'rpc.nfsd', 'mount', 'umount'],
  rules,
  actions: {
    start: { timeout: '40s', run: start },
    stop: { timeout: '20s', run: stop },
    monitor: { timeout: '20s', interval: '10s', run: monitor },
    'validate-all': { timeout: '30s', run: validate },
    reload: { timeout: '40s', run: notifyAgain },
    'reload-agent': { timeout: '20s', run: async () => {} }, // reloadable parameters are read when they are used
  },
});
