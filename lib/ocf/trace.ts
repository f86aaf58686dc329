import { paramTable, readBoolean } from '../contract/params.ts';

/** Every agent's own copy of what pcs adds by itself only for the providers heartbeat and pacemaker. */
export const traceParams = paramTable({
  trace_ra: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Write a trace of every action: its environment and each command with exit code and time',
  },
  trace_file: {
    type: 'string',
    reloadable: true,
    short: 'Where the trace goes; a file of its own per action when unset',
  },
  trace_dir: {
    type: 'string',
    default: '/var/lib/heartbeat/trace_ra',
    reloadable: true,
    short:
      'Directory of the trace files, <type>/<instance>.<action>.<time>, as crmsh and crm report expect it',
  },
});

/** Whether this call is to be traced: what does it is loaded only then (`tracing.ts`). */
export const isTraced = (env: NodeJS.ProcessEnv): boolean =>
  readBoolean(env['OCF_TRACE_RA'] || env['OCF_RESKEY_trace_ra'] || 'no') === true;
