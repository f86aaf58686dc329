import { Failure } from '../contract/outcome.ts';
import { veiledArgument } from '../contract/secrets.ts';
import type { Argv, Command, Output, Sys } from './sys/sys.ts';

export type RunOptions = Partial<Omit<Command, 'argv'>>;

/** The machine with a clock: every command and every wait ends before the operation's own deadline. */
export type Host = {
  readonly sys: Sys;
  /** Milliseconds until the action must have ended by itself; never negative. */
  left(): number;
  /** Runs a command; a command that does not exist, hangs or fails is told by the output. */
  tryRun(argv: Argv, options?: RunOptions): Promise<Output>;
  /** Runs a command that must succeed; returns its stdout. Throws `Failure` with the first line it said. */
  run(argv: Argv, options?: RunOptions): Promise<string>;
  /**
   * Polls until `done` comes true, for at most `withinMs`; the pause grows from 10 ms to `everyMs`, and is never shorter than the
   * look before it took. Says whether it came true.
   */
  until(done: () => Promise<boolean>, withinMs: number, everyMs?: number): Promise<boolean>;
};

const firstPauseMs = 10;
const longestPauseMs = 1000;

export function hostOn(sys: Sys, deadlineMs: number): Host {
  const left = () => Math.max(0, deadlineMs - sys.now());
  const tryRun: Host['tryRun'] = (argv, options = {}) =>
    sys.run({ ...options, argv, timeoutMs: Math.max(1, Math.min(options.timeoutMs ?? left(), left())) });
  return {
    sys,
    left,
    tryRun,
    async run(argv, options) {
      const output = await tryRun(argv, options);
      if (output.code !== 0) throw commandFailure(argv, output);
      return output.stdout;
    },
    async until(done, withinMs, everyMs = longestPauseMs) {
      const end = sys.now() + Math.min(withinMs, left());
      for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, everyMs)) {
        const lookedAt = sys.now();
        if (await done()) return true;
        const now = sys.now();
        if (now >= end) return false;
        await sys.sleep(Math.min(Math.max(pause, now - lookedAt), end - now));
      }
    },
  };
}

/** A command as people may see it. */
export const commandLine = (argv: readonly string[]): string => argv.map(veiledArgument).join(' ');

/** The reason for a command that did not do its work: its own first line, or what it was stuck in. */
export const commandFailure = (argv: Argv, output: Output): Failure =>
  new Failure(output.missing ? 'notInstalled' : 'failed', commandTrouble(argv, output));

/** The same as a sentence, for a reason that says more. */
export function commandTrouble(argv: Argv, output: Output): string {
  if (output.missing) return `command ${argv[0]} is not installed`;
  if (output.hung) return `"${commandLine(argv)}" did not end (${output.hung})`;
  return `${commandLine(argv)}: ${outputTrouble(output)}`;
}

/** What went wrong in a command, without its name: what it was stuck in, its own first line, or its exit status. */
export const outputTrouble = ({ hung, stderr, stdout, code }: Output): string =>
  hung ?? (firstLine(stderr) || firstLine(stdout) || `exit ${code}`);

export const firstLine = (text: string): string => text.trim().split('\n', 1)[0] ?? '';

/** The name of this machine, as `uname -n` has it: what Pacemaker and DRBD call this node unless told otherwise. */
export const hostName = async ({ sys }: Pick<Host, 'sys'>): Promise<string> =>
  (await sys.read('/proc/sys/kernel/hostname')).trim();

/** Seconds since boot, of /proc/uptime: `5000.21 9000.00`. NaN where that cannot be read. */
export const uptime = async ({ sys }: Pick<Host, 'sys'>): Promise<number> =>
  Number.parseFloat(await sys.read('/proc/uptime').catch(() => ''));
