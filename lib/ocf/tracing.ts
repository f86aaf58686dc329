import { mkdirSync } from 'node:fs';
import { isSecretName, veil, veiled, veiledArgument } from '../contract/secrets.ts';
import { veiledXml } from '../contract/secrets-in-xml.ts';
import { commandLine } from '../host/host.ts';
import { asFileName } from '../host/sys/file-names.ts';
import type { Output, Sys } from '../host/sys/sys.ts';
import { appending, type Outlet } from './outlet.ts';
import { isTraced, traceParams } from './trace.ts';

/** The machine as it is, or one that writes down every command. */
export function tracing<S extends Sys>(
  agent: string,
  action: string,
  terminal: Outlet | undefined,
  machine: S,
): S {
  const file = traceFile(process.env, agent, action, new Date());
  if (!file) return machine;
  try {
    if (!terminal && !file.startsWith('/proc/'))
      mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true, mode: 0o700 });
  } catch {
    // as with a log file: an unwritable trace directory is no reason to fail a resource
  }
  const write = terminal ?? appending(file);
  write(traceHeader(process.env));
  return traced(machine, write);
}

/** The file to trace to, or `undefined`. OCF_TRACE_RA and OCF_TRACE_FILE come from crm_resource -VV and `pcs … --full`. */
export function traceFile(
  env: NodeJS.ProcessEnv,
  agent: string,
  action: string,
  now: Date,
): string | undefined {
  if (!isTraced(env)) return undefined;
  const named = env['OCF_TRACE_FILE'] || env['OCF_RESKEY_trace_file'];
  if (named && /^[3-9]$/.test(named)) return `/proc/self/fd/${named}`;
  if (named) return named.startsWith('/') ? named : undefined;
  const dir = env['OCF_RESKEY_trace_dir'] || traceParams.trace_dir.default;
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  const instance = env['OCF_RESOURCE_INSTANCE'] || 'default';
  return `${dir}/${agent}/${asFileName(`${instance}.${action}.${day}.${time}`)}`;
}

/** The environment as a trace shows it: sorted, secrets veiled. */
export const traceHeader = (env: NodeJS.ProcessEnv): string =>
  Object.entries(env)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${isSecretName(name) ? veil : veiledArgument(value ?? '')}\n`)
    .join('');

/** The same machine, telling `write` of every command. */
export function traced<S extends Sys>(sys: S, write: (line: string) => void): S {
  const run: Sys['run'] = async (command) => {
    const since = sys.now();
    const output = await sys.run(command);
    write(
      `${(since / 1000).toFixed(3)} ${commandLine(command.argv)} -> ${ending(output)} ${((sys.now() - since) / 1000).toFixed(3)} s\n`,
    );
    for (const text of [output.stdout, output.stderr])
      if (text) write(veiled(veiledXml(text)).replace(/^/gm, '    ').trimEnd().concat('\n'));
    return output;
  };
  return { ...sys, run };
}

const ending = ({ code, hung }: Output): string => (hung ? `hung (${hung})` : String(code));
