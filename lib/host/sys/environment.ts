import { readFileSync } from 'node:fs';
import { textOf } from './bytes.ts';

/** The environment of this process, with the bytes of a value that is no UTF-8: the runtime itself gives U+FFFD for them. */
export function trueEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isSpoiled = Object.values(env).some((value) => value?.includes('\ufffd'));
  return isSpoiled ? { ...env, ...parseEnviron(readFileSync('/proc/self/environ')) } : env;
}

/** proc_pid_environ(5): `NAME=value` and a NUL, as it was when the program was started. */
export const parseEnviron = (bytes: Buffer): Record<string, string> =>
  Object.fromEntries(
    textOf(bytes)
      .split('\0')
      .filter((entry) => entry.includes('='))
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
