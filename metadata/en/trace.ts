import type { EnglishProse } from '../../lib/ocf/agent.ts';
import type { traceParams } from '../../lib/ocf/trace.ts';

/** The trace parameters every agent has. */
export const traceProse: EnglishProse<typeof traceParams>['params'] = {
  trace_ra: `
Write a trace of every action: its environment (secrets masked) and each command with its exit code, time and output. Changing it
needs no restart of the resource.`,
  trace_file: `
Absolute path of the trace, or a file descriptor from 3 to 9. When unset every action writes a file of its own below trace_dir.`,
  trace_dir: `
Directory of the trace files. They are named <agent>/<resource>.<action>.<time>, where crmsh and crm report look for them.`,
};
