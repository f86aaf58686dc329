import { paramTable, readBoolean } from '../contract/params.ts';
import type { Output, Sys } from '../host/sys/sys.ts';

/** Every agent's own copy of what pcs adds by itself only for the providers heartbeat and pacemaker. */
export const traceParams = paramTable({
  trace_ra: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Write a trace of every action: its environment and each command with exit code and time',
  },
  trace_file: {
    type: 'string',
    reloadable: true,
    short: 'Where the trace goes; a file of its own per action when unset',
  },
  trace_dir: {
    type: 'string',
    default: '/var/lib/heartbeat/trace_ra',
    reloadable: true,
    short:
      'Directory of the trace files, <type>/<instance>.<action>.<time>, as crmsh and crm report expect it',
  },
});

/** The file to trace to, or `undefined`. OCF_TRACE_RA and OCF_TRACE_FILE come from crm_resource -VV and `pcs … --full`. */
export function traceFile(
  env: NodeJS.ProcessEnv,
  agent: string,
  action: string,
  now: Date,
): string | undefined {
  const wanted = readBoolean(env['OCF_TRACE_RA'] || env['OCF_RESKEY_trace_ra'] || 'no');
  if (!wanted) return undefined;
  const named = env['OCF_TRACE_FILE'] || env['OCF_RESKEY_trace_file'];
  if (named && /^[3-9]$/.test(named)) return `/proc/self/fd/${named}`;
  if (named) return named.startsWith('/') ? named : undefined;
  const dir = env['OCF_RESKEY_trace_dir'] || traceParams.trace_dir.default;
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  return `${dir}/${agent}/${env['OCF_RESOURCE_INSTANCE'] || 'default'}.${action}.${day}.${time}`;
}

/** The environment as a trace shows it: sorted, secrets masked. */
export const traceHeader = (env: NodeJS.ProcessEnv): string =>
  Object.entries(env)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${/pass|secret|token|key$/i.test(name) ? '********' : value}\n`)
    .join('');

/** The same machine, telling `write` of every command. */
export function traced<S extends Sys>(sys: S, write: (line: string) => void): S {
  const run: Sys['run'] = async (command) => {
    const since = sys.now();
    const output = await sys.run(command);
    write(
      `${(since / 1000).toFixed(3)} ${command.argv.join(' ')} -> ${ending(output)} ${((sys.now() - since) / 1000).toFixed(3)} s\n`,
    );
    for (const text of [output.stdout, output.stderr])
      if (text) write(text.replace(/^/gm, '    ').trimEnd().concat('\n'));
    return output;
  };
  return { ...sys, run };
}

const ending = ({ code, hung }: Output): string => (hung ? `hung (${hung})` : String(code));
