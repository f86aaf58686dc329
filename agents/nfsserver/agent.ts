import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor } from './monitor.ts';
import { params } from './params.ts';
import { rules } from './rules.ts';

export const nfsserver = defineAgent({
  name: 'nfsserver',
  short: 'Runs the kernel NFS server with its state on the failover filesystem',
  params,
  needs: ['rpc.nfsd', 'mount', 'umount'],
  rules,
  actions: {
    start: { timeout: '40s', run: async (ctx) => (await import('./start.ts')).start(ctx) },
    stop: { timeout: '20s', run: async (ctx) => (await import('./stop.ts')).stop(ctx) },
    monitor: { timeout: '20s', interval: '10s', depths: [10, 20], run: monitor },
    'validate-all': { timeout: '30s', run: async (ctx) => (await import('./validate.ts')).validate(ctx) },
    reload: { timeout: '40s', run: async (ctx) => (await import('./notify.ts')).notifyAgain(ctx) },
    'reload-agent': { timeout: '20s', run: async () => {} }, // reloadable parameters are read when they are used
  },
});
