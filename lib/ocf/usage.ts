import type { ParamTable } from '../contract/params.ts';
import type { AgentDef } from './agent.ts';
import { actionsOf } from './run.ts';

/** What is said to people who ask, or who have asked for nothing. */
export function usage(agent: AgentDef<ParamTable>): string {
  return [
    `usage: ${agent.name} {${[...actionsOf(agent), 'meta-data', 'usage'].join('|')}}`,
    '',
    `${agent.short}. An OCF resource agent for Pacemaker: parameters come from the environment as OCF_RESKEY_<name>.`,
    '',
    ...Object.entries(agent.params).map(
      ([name, { short, required }]) => `  ${name}${required ? ' (required)' : ''}: ${short}`,
    ),
    '',
  ].join('\n');
}
