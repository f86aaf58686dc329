import { Failure } from '../../contract/outcome.ts';
import { commandFailure, type Host, type RunOptions } from '../host.ts';
import type { Output } from '../sys/sys.ts';

/** `drbdadm` for one resource of one configuration file. */
export type Admin = {
  readonly resource: string;
  /** `drbdadm -c FILE [-S] <words…>`; words name the resource themselves. */
  run(words: readonly string[], options?: RunOptions): Promise<Output>;
  /** The paths of its devices; throws `Failure` (notInstalled) when the configuration does not define the resource here. */
  devices(): Promise<readonly string[]>;
};

/** Tools newer than the module would warn with every call. */
const quiet = { DRBD_DONT_WARN_ON_VERSION_MISMATCH: '1' };

export function drbdadm(host: Host, resource: string, file: string): Admin {
  let stacked = false;
  const call = (words: readonly string[], options: RunOptions) =>
    host.tryRun(['drbdadm', '-c', file, ...(stacked ? ['-S'] : []), ...words], {
      ...options,
      env: { ...quiet, ...options.env },
    });
  const run: Admin['run'] = async (words, options = {}) => {
    const output = await call(words, options);
    if (stacked || output.code === 0 || !/is a stacked resource/.test(output.stderr)) return output;
    stacked = true;
    return call(words, options);
  };
  return {
    resource,
    run,
    async devices() {
      const output = await run(['sh-dev', resource]);
      const devices = output.stdout.split('\n').filter((line) => line.startsWith('/'));
      if (output.code === 0 && devices.length > 0) return devices;
      if (output.missing || output.hung) throw commandFailure(['drbdadm', 'sh-dev', resource], output);
      if (output.code >= cannotRun)
        throw new Failure('failed', `drbdadm sh-dev ${resource}: ${complaint(output)}`);
      throw new Failure('notInstalled', `${file}: ${complaint(output)}`);
    },
  };
}

/**
 * DRBD was asked and said no, which no other way of asking will change: in its own words (`State change failed: (-12) …`,
 * `Failure: (161) …`) or by an exit code that only drbdsetup has for them. That there is no such minor (127) or resource (158) is none: drbdadm
 * asks for what the configuration says now.
 */
const isRefusal = ({ code, stdout, stderr }: Output): boolean =>
  refusalCodes.has(code) ||
  /State change failed: \(|Failure: \((?!127\)|158\))\d+\)/.test(`${stderr}\n${stdout}`);

/** Already worse than outdated, state change failed, no local disk, no UpToDate data. 10, a failure, is also drbdadm's own. */
const refusalCodes: ReadonlySet<number> = new Set([5, 11, 16, 17]);

/**
 * drbdadm itself did not work: everything but a refusal of DRBD's own. It is missing, cannot be run, hung, was ended by a signal, or
 * could make nothing of its configuration.
 */
export const didNotWork = (output: Output): boolean =>
  output.code !== 0 &&
  (output.missing === true || output.hung !== undefined || output.code >= cannotRun || !isRefusal(output));

/** From here on an exit code is the shell's or a signal's, not the program's. */
const cannotRun = 126;

/** The line of drbdadm's that says what is wrong, among its warnings and its account of the command it ran. */
export function complaint({ code, stdout, stderr, hung, missing }: Output): string {
  if (missing) return 'command not found';
  if (hung) return `hung (${hung})`;
  if (code > signalled && code <= signalled + lastSignal) return `ended by signal ${code - signalled}`;
  const lines = `${stderr}\n${stdout}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !isNoise(line));
  return (
    lines.find((line) => /failure|failed|refused|valid meta|defined|can not open|parse error/i.test(line)) ??
    lines[0] ??
    `exit ${code}`
  );
}

const signalled = 128;
const lastSignal = 64;

/** What to tell of several tries: one that was cut off by the deadline says less than the one before it. */
export const lastWord = (before: string, output: Output): string =>
  output.hung && before ? before : complaint(output);

/**
 * Who has a device open, as the kernel adds it to a refusal of DRBD 9: `drbd1 opened by dd (pid 6835) at 2026-11-28 17:29:39.433`. The
 * process may be gone since, as mount is, while what it opened stays open.
 */
export const openersIn = ({ stderr }: Pick<Output, 'stderr'>): readonly Opener[] =>
  stderr.split('\n').flatMap((line) => {
    const [, device, name = '', pid] = /^(\S+) opened by (.+) \(pid (\d+)\)/.exec(line.trim()) ?? [];
    return device === undefined ? [] : [{ device, name, pid: Number(pid) }];
  });

/** A process that opened a device, e.g. `{ device: 'drbd1', name: 'dd', pid: 6835 }`. */
export type Opener = { readonly device: string; readonly name: string; readonly pid: number };

const isNoise = (line: string): boolean =>
  noise.some((pattern) => pattern.test(line)) ||
  (line.includes(': in resource ') && line.includes(', on ') && line.endsWith(':')) ||
  (line.includes(' opened by ') && /\(pid \d+\)/.test(line)); // told beside it

const noise: readonly RegExp[] = [
  /^Command '.*terminated with exit code/,
  /^sh: \d+: \w+: not found/, // modinfo and modprobe, looked for by drbdadm itself
  /^IP .* not found on this host/,
  /^additional info from kernel:$/,
  /^DRBD module version:|^ *userland version:|did not verify|version mismatch/i,
];
