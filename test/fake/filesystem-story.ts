import { expect } from 'vitest';
import { FilesystemMachine, recurring } from './filesystem-machine.ts';

export type Params = { readonly [name: string]: string };

/** A situation, what is called in it, and what is mounted in the end. */
export type Story = {
  readonly what: string;
  /** What differs from /dev/drbd1 with xfs on /nfsdata. */
  readonly with?: Params;
  readonly given?: (machine: FilesystemMachine) => unknown;
  /** `action code`, separated by commas; `probe` and `rec` are monitors, `@20` asks for a check level. */
  readonly calls: string;
  /** Mount points afterwards. */
  readonly mounts?: readonly string[];
  /** The commands of the last call. */
  readonly ran?: readonly string[];
  readonly reason?: RegExp;
  readonly warns?: RegExp;
  /** No warning, no error. */
  readonly silent?: true;
  readonly after?: (machine: FilesystemMachine) => unknown;
};

export async function follow(story: Story): Promise<void> {
  const machine = new FilesystemMachine(story.with);
  story.given?.(machine);
  for (const [at, call] of story.calls.split(', ').entries()) {
    const [spelt = '', code] = call.split(' ');
    const [name = '', level = ''] = spelt.split('@');
    machine.journal.length = 0;
    machine.clock = 0;
    const result = await machine.call(name === 'rec' || name === 'probe' ? 'monitor' : name, {
      OCF_RESKEY_CRM_meta_interval: name === 'rec' ? recurring.OCF_RESKEY_CRM_meta_interval : '0',
      OCF_CHECK_LEVEL: level,
    });
    expect(result, `call ${at}: ${call}`).toMatchObject({ code: Number(code) });
    if (story.reason && result.reason) expect(result.reason).toMatch(story.reason);
    if (result.code > 0 && name !== 'probe') expect(result.reason, `call ${at}: ${call}`).toBeTruthy();
  }
  const said = machine.log.filter((line) => /^(warn|error|crit) /.test(line)).join('\n');
  if (story.warns) expect(said).toMatch(story.warns);
  if (story.silent) expect(said).toBe('');
  if (story.ran) expect(machine.ran).toEqual(story.ran);
  story.after?.(machine);
  if (story.mounts) expect(machine.targets).toEqual(story.mounts);
}

/** The default resource's mount. */
export const ours = { source: '/dev/drbd1', target: '/nfsdata', device: '147:1' } as const;
export const mounted = (machine: FilesystemMachine) => machine.mounted(ours);
export const tmpfsOn = (target: string) => (machine: FilesystemMachine) =>
  machine.mounted({ source: 'x', target, device: '0:50', type: 'tmpfs' });
