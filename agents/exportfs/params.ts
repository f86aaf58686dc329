import { paramTable } from '../../lib/contract/params.ts';
import type { Context } from '../../lib/ocf/agent.ts';
import { traceParams } from '../../lib/ocf/trace.ts';

export const params = paramTable({
  clientspec: {
    type: 'string',
    required: true,
    uniqueGroup: 'export',
    short: 'Client that may mount: host, network, wildcard or *',
  },
  options: {
    type: 'string',
    reloadable: true,
    mustApply: true,
    short: 'Export options, a comma separated list',
  },
  directory: {
    type: 'string',
    required: true,
    uniqueGroup: 'export',
    short: 'Directory to export, or several',
  },
  fsid: { type: 'string', short: 'Filesystem id that clients see: a number, a UUID or root' },
  unlock_on_stop: {
    type: 'boolean',
    default: true,
    reloadable: true,
    short: "Release the clients' locks on stop",
  },
  wait_for_leasetime_on_stop: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Let NFSv4 leases run out on stop',
  },
  rmtab_backup: {
    type: 'string',
    default: '.rmtab',
    reloadable: true,
    short: 'Backup of the rmtab entries, relative to the directory, or none',
  },
  ...traceParams,
});

export type Ctx = Context<typeof params>;

/** In seconds: what Pacemaker is told to allow a stop. */
export const stopTimeout = 120;
