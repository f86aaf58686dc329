import { paramTable } from '../../lib/contract/params.ts';
import type { Context } from '../../lib/ocf/agent.ts';
import { traceParams } from '../../lib/ocf/trace.ts';

export const params = paramTable({
  source_host: {
    type: 'string',
    short: 'Addresses or host names that clients mount from, comma separated: notifications come from these',
  },
  notify_args: {
    type: 'string',
    short: 'Options as of sm-notify: -d (wait for all), -n (keep the state number), -m minutes, -p port',
  },
  ...traceParams,
});

export type Ctx = Context<typeof params>;
