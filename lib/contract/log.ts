import { localTime } from './local-time.ts';
import { oneLine } from './reason.ts';
import { veiled } from './secrets.ts';

/** Log lines as Pacemaker's users know them from ocf-shellfuncs' ocf_log. */
export type Log = {
  crit(message: string): void;
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  /** Only with HA_debug. */
  debug(message: string): void;
};

type Level = keyof Log;

const words: Readonly<Record<Level, string>> = {
  crit: 'CRIT',
  error: 'ERROR',
  warn: 'WARNING',
  info: 'INFO',
  debug: 'DEBUG',
};

/** syslog(3) priorities, for `logger --prio-prefix`. ocf-shellfuncs sends info as info, debug as debug. */
const severities: Readonly<Record<Level, number>> = { crit: 2, error: 3, warn: 4, info: 6, debug: 7 };

/** Where lines can go; the process' own hands are in `main.ts`. */
export type LogSinks = {
  stderr(text: string): void;
  /** Appends; best effort. */
  file(path: string, text: string): void;
  /** A line for a long-lived `logger` or `ha_logger` process. */
  pipe(argv: readonly [string, ...string[]], text: string): void;
};

export type LogRoute =
  | { readonly to: 'terminal' }
  | { readonly to: 'logd' }
  | { readonly to: 'system'; readonly facility?: string; readonly files: readonly string[] }
  | { readonly to: 'stderr' };

/** Which way the lines go: a terminal wins, then logd, then syslog and files, then plain stderr. */
export function logRoute(env: NodeJS.ProcessEnv, stderrIsTerminal: boolean): LogRoute {
  if (stderrIsTerminal) return { to: 'terminal' };
  if (env['HA_LOGD'] === 'yes' || env['HA_use_logd'] === 'yes') return { to: 'logd' };
  const facility = env['HA_LOGFACILITY'] ?? env['PCMK_LOGFACILITY'] ?? env['HA_logfacility'];
  const files = [env['HA_LOGFILE'], env['HA_DEBUGLOG']].filter(
    (file, index, all): file is string => !!file && file !== 'none' && all.indexOf(file) === index,
  );
  const syslog = facility && facility !== 'none' ? { facility } : {};
  return 'facility' in syslog || files.length > 0 ? { to: 'system', ...syslog, files } : { to: 'stderr' };
}

export function createLog(tag: string, env: NodeJS.ProcessEnv, route: LogRoute, sinks: LogSinks): Log {
  const debugging = !!env['HA_debug'] && env['HA_debug'] !== '0';
  const at = (level: Level) => (message: string) => {
    if (level === 'debug' && !debugging) return;
    const line = `${words[level]}: ${oneLine(veiled(message))}`;
    switch (route.to) {
      case 'terminal':
        return sinks.stderr(`${tag}: ${line}\n`);
      case 'stderr':
        return sinks.stderr(`${timestamp(new Date())} ${tag}: ${line}\n`);
      case 'logd':
        return sinks.pipe(['ha_logger', '-t', tag], `${line}\n`);
      case 'system':
        if (route.facility)
          sinks.pipe(
            ['logger', '-t', tag, '--prio-prefix', '-p', `${route.facility}.info`],
            syslogLine(level, route.facility, line),
          );
        for (const file of route.files) sinks.file(file, `${timestamp(new Date())} ${tag}:    ${line}\n`);
    }
  };
  return { crit: at('crit'), error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

/** The default facility of Pacemaker's clusters, and the local ones; others keep logger's own default. */
const facilities: ReadonlyMap<string, number> = new Map([
  ['kern', 0],
  ['user', 1],
  ['daemon', 3],
  ['auth', 4],
  ['syslog', 5],
  ...Array.from({ length: 8 }, (_, n) => [`local${n}`, 16 + n] as const),
]);

const syslogLine = (level: Level, facility: string, line: string): string =>
  `<${(facilities.get(facility) ?? 3) * 8 + severities[level]}>${line}\n`;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Nov 02 15:04:05`, local time, as HA_LOGFILE has it. */
export function timestamp(date: Date): string {
  const local = localTime(date);
  const [day, hours] = [local.getUTCDate(), local.getUTCHours()];
  const numbers = [hours, local.getUTCMinutes(), local.getUTCSeconds()];
  const two = (n: number) => String(n).padStart(2, '0');
  return `${months[local.getUTCMonth()]} ${two(day)} ${numbers.map(two).join(':')}`;
}
