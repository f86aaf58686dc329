import { expect } from 'vitest';
import { FilesystemMachine } from './filesystem-machine.ts';
import { type Call, checkCalls, troubleIn } from './story.ts';

export type Params = { readonly [name: string]: string };

/** A situation, what is called in it, and what is mounted in the end. */
export type Story = {
  readonly what: string;
  /** What differs from /dev/drbd1 with xfs on /nfsdata. */
  readonly with?: Params;
  readonly given?: (machine: FilesystemMachine) => unknown;
  /** See `callsOf`. */
  readonly calls: string;
  /** What changes then, and what is called after it. */
  readonly later?: { readonly change: (machine: FilesystemMachine) => unknown; readonly calls: string };
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
  const call = ({ action, env }: Call) => {
    machine.journal.length = 0;
    machine.clock = 0;
    return machine.call(action, env);
  };
  await checkCalls(story.calls, call, story.reason);
  if (story.later) {
    story.later.change(machine);
    await checkCalls(story.later.calls, call, story.reason);
  }
  const said = troubleIn(machine.log);
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
