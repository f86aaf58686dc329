import { exportfs } from '../../agents/exportfs/agent.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { ExportingMachine } from './exports.ts';
import { both, environmentOf, troubleTo, wordsTo } from './story.ts';

export type Params = { readonly [name: string]: string };

/** A machine with this resource's parameters, and what its log said. */
export function node(params: Params, prepare: (machine: ExportingMachine) => void = () => {}) {
  const env = environmentOf({
    OCF_RESOURCE_INSTANCE: 'share',
    CRM_meta_timeout: '120000',
    clientspec: '*',
    ...params,
  });
  const machine = new ExportingMachine(env);
  prepare(machine);
  const warnings: string[] = [];
  /** Warnings, and what is logged for information. */
  const said: string[] = [];
  const log = both(troubleTo(warnings), wordsTo(said));
  const run = async (action: string, interval = '0') => {
    machine.journal.length = 0;
    machine.clock = 0;
    machine.env['OCF_RESKEY_CRM_meta_interval'] = interval;
    return runAction(exportfs, action, machine, log);
  };
  return {
    machine,
    warnings,
    said,
    run,
    code: async (action: string) => (await run(action)).code,
    /** A recurring monitor. */
    watch: () => run('monitor', '10000'),
  };
}

export const single = { directory: '/usr', fsid: '105', rmtab_backup: 'none' };
export const double = { directory: '/usr /var', fsid: '105', rmtab_backup: 'none' };
