import { expect } from 'vitest';
import { node, type Params } from './exportfs-node.ts';
import { type ExportingMachine, etabLine } from './exports.ts';
import { type Call, checkCalls } from './story.ts';

/** A situation, what is called in it, and what etab holds in the end. */
export type Story = {
  readonly what: string;
  readonly with?: Params;
  readonly given?: (machine: ExportingMachine) => unknown;
  /** See `callsOf`. */
  readonly calls: string;
  /** `path client` of what is left in etab. */
  readonly etab?: readonly string[];
  readonly options?: RegExp;
  readonly reason?: RegExp;
  readonly warns?: RegExp;
  /** How many lines the log may have at most. */
  readonly quiet?: number;
  readonly after?: (machine: ExportingMachine) => unknown;
};

export async function follow(story: Story): Promise<void> {
  const { machine, run, warnings } = node({ rmtab_backup: 'none', ...story.with }, story.given);
  const call = ({ action, env }: Call) => {
    machine.env['OCF_CHECK_LEVEL'] = env.OCF_CHECK_LEVEL;
    return run(action, env.OCF_RESKEY_CRM_meta_interval);
  };
  await checkCalls(story.calls, call, story.reason);
  if (story.options) expect(machine.etab).toMatch(story.options);
  if (story.warns) expect(warnings.join('\n')).toMatch(story.warns);
  if (story.quiet !== undefined)
    expect(warnings.length, warnings.join('\n')).toBeLessThanOrEqual(story.quiet);
  story.after?.(machine);
  if (story.etab) expect(machine.exported).toEqual(story.etab);
}

export const listed =
  (...lines: readonly (readonly [path: string, client?: string, options?: string])[]) =>
  (machine: ExportingMachine) => {
    machine.etab = lines.map(([path, client = '*', options]) => etabLine(path, client, options)).join('');
  };

export const single = { directory: '/usr', fsid: '105' };
export const double = { directory: '/usr /var', fsid: '105' };
/** Not running, then started, watched and stopped. */
export const life = 'rec 7, start 0, rec 0, stop 0, rec 7';
