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
      throw new Failure('notInstalled', `${file}: ${complaint(output)}`);
    },
  };
}

/** drbdadm did not get as far as running a command: the configuration is gone or broken, or drbdadm itself is. */
export const isConfigurationTrouble = ({ code, stderr, missing }: Output): boolean =>
  missing === true ||
  ((code === 1 || code === 10) && !/terminated with exit code/.test(stderr)) ||
  /^Can not open/m.test(stderr);

/** The line of drbdadm's that says what is wrong, among its warnings and its account of the command it ran. */
export function complaint({ code, stdout, stderr, hung, missing }: Output): string {
  if (missing) return 'command not found';
  if (hung) return `hung (${hung})`;
  const lines = `${stderr}\n${stdout}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !noise.some((pattern) => pattern.test(line)));
  return (
    lines.find((line) => /failure|failed|refused|valid meta|defined|can not open|parse error/i.test(line)) ??
    lines[0] ??
    `exit ${code}`
  );
}

/** What to tell of several tries: one that was cut off by the deadline says less than the one before it. */
export const lastWord = (before: string, output: Output): string =>
  output.hung && before ? before : complaint(output);

const noise: readonly RegExp[] = [
  /^Command '.*terminated with exit code/,
  /^sh: \d+: \w+: not found/, // modinfo and modprobe, looked for by drbdadm itself
  /^IP .* not found on this host/,
  /: in resource .*, on .*:$/,
  /^additional info from kernel:$/,
  /^DRBD module version:|^ *userland version:|did not verify|version mismatch/i,
];
