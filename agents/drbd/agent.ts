import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor } from './monitor.ts';
import { params } from './params.ts';
import { rules } from './rules.ts';

export const drbd = defineAgent({
  name: 'drbd',
  short: 'Manages a DRBD resource as a promotable clone',
  params,
  needs: ['drbdadm', 'drbdsetup'],
  rules,
  actions: {
    start: { timeout: '240s', run: async (ctx) => (await import('./start.ts')).start(ctx) },
    promote: { timeout: '90s', run: async (ctx) => (await import('./promote.ts')).promote(ctx) },
    demote: { timeout: '90s', run: async (ctx) => (await import('./demote.ts')).demote(ctx) },
    notify: {
      timeout: '90s',
      needless: ['pre-stop', 'pre-promote', 'pre-demote'],
      run: async (ctx) => (await import('./notify.ts')).notify(ctx),
    },
    stop: { timeout: '100s', run: async (ctx) => (await import('./stop.ts')).stop(ctx) },
    monitor: {
      timeout: '20s',
      interval: '20s',
      role: 'Unpromoted',
      also: [{ timeout: '20s', interval: '10s', role: 'Promoted' }],
      run: monitor,
    },
    'validate-all': { timeout: '20s', run: async (ctx) => (await import('./validate.ts')).validate(ctx) },
    'reload-agent': { timeout: '30s', run: async (ctx) => (await import('./reload.ts')).reload(ctx) },
    reload: { timeout: '30s', run: async (ctx) => (await import('./reload.ts')).reload(ctx) },
  },
});
