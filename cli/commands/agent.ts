import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { exitCode } from '../../lib/contract/outcome.ts';
import { handInstance } from '../../lib/contract/request.ts';
import type { Timing } from '../../lib/ocf/agent.ts';
import { catalogue } from '../../metadata/catalogue.ts';
import type { AgentLine } from '../agent-line.ts';
import type { Call } from '../command.ts';
import { executorEnvironment } from '../executor.ts';
import { CommandError, type Ending } from '../exit.ts';
import { print } from '../output/print.ts';

export type AgentCall = Omit<AgentLine, 'common'>;

const places = ['/usr/lib/ocf/resource.d/tsha', '/usr/libexec/ocf/resource.d/tsha'];
const agentNames = catalogue.map(({ agent }) => agent.name);

/** `tsha agent NAME ACTION --param=value`: an agent by hand, as Pacemaker would call it, and its answer in words. */
export async function agent(call: Call, { agent: name, action, words, trace }: AgentCall): Promise<Ending> {
  for (const [option, isGiven] of [
    ['--json', call.json],
    ['--quiet', call.quiet],
  ] as const)
    if (isGiven)
      throw new CommandError('unknown', `tsha agent has no ${option}: it shows what the agent prints`);
  const entry = catalogue.find((one) => one.agent.name === name);
  if (!entry) throw new CommandError('unknown', `there is no agent ${name} (${agentNames.join(', ')})`);
  const known = [...Object.keys(entry.agent.actions), 'meta-data', 'status', 'usage'];
  if (!known.includes(action))
    throw new CommandError('unknown', `${name} has no action ${action} (${known.join(', ')})`);
  const file = places.map((place) => `${place}/${name}`).find((path) => existsSync(path));
  if (!file) throw new CommandError('unknown', `the agents are not installed (${places.join(', ')})`);
  const code = await run(file, action, {
    ...cleanEnvironment(),
    ...timeoutOf(entry.agent.actions as { readonly [action: string]: Timing }, action),
    ...parametersIn(words, name, Object.keys(entry.agent.params)),
    ...(trace ? { OCF_RESKEY_trace_ra: '1', OCF_RESKEY_trace_file: '/proc/self/fd/2' } : {}),
  });
  print(2, call.terminal.marks(`${name} ${action}: ${codeInWords(code)}\n`));
  return endingOf(code);
}

/** The environment of Pacemaker's executor, with nothing of the caller's shell but the way to programs. */
const cleanEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  TERM: process.env['TERM'],
  ...(process.env['HA_RSCTMP'] ? { HA_RSCTMP: process.env['HA_RSCTMP'] } : {}),
  ...executorEnvironment(handInstance, 'tsha'),
  OCF_EXIT_REASON_PREFIX: 'reason: ',
  HA_debug: '0',
});

/** What the agent itself advertises for the action. */
export function timeoutOf(
  actions: { readonly [action: string]: Timing },
  action: string,
): { readonly [variable: string]: string } {
  const { timeout } = actions[action === 'status' ? 'monitor' : action] ?? {};
  return timeout === undefined
    ? {}
    : { OCF_RESKEY_CRM_meta_timeout: String(Number.parseInt(timeout, 10) * 1000) };
}

/** All that agents read of what Pacemaker tells them beside their parameters; whole numbers where true. */
export const metaWords: { readonly [name: string]: boolean } = {
  timeout: true,
  interval: true,
  on_node: false,
  clone: true,
  clone_max: true,
  globally_unique: false,
  notify: false,
  notify_type: false,
  notify_operation: false,
  ...Object.fromEntries(
    ['start', 'stop', 'promote', 'demote', 'promoted', 'unpromoted', 'master', 'slave'].map((group) => [
      `notify_${group}_uname`,
      false,
    ]),
  ),
};

/** Throws `CommandError` for what the agent does not have or would not understand. */
export function parametersIn(
  words: readonly string[],
  name: string,
  known: readonly string[],
): { readonly [variable: string]: string } {
  return Object.fromEntries(
    words.map((word) => {
      const [, key = '', value] = /^--([^=]+)=([\s\S]*)$/.exec(word) ?? [];
      if (value === undefined)
        throw new CommandError('unknown', `${word}: parameters are written --name=value`);
      const meta = /^meta_(.+)$/.exec(key)?.[1];
      const isNumber = key === 'OCF_CHECK_LEVEL' || (meta !== undefined && metaWords[meta] === true);
      if (isNumber && !/^\d{1,15}$/.test(value))
        throw new CommandError(
          'unknown',
          `${word}: this is a whole number, of milliseconds where it is a time`,
        );
      if (key === 'OCF_CHECK_LEVEL') return [key, value] as const;
      if (meta !== undefined) {
        if (!Object.hasOwn(metaWords, meta))
          throw new CommandError('unknown', `no agent reads ${key} (${Object.keys(metaWords).join(', ')})`);
        return [`OCF_RESKEY_CRM_${key}`, value] as const;
      }
      if (!known.includes(key))
        throw new CommandError('unknown', `${name} has no parameter ${key} (${known.join(', ')})`);
      return [`OCF_RESKEY_${key}`, value] as const;
    }),
  );
}

const run = (file: string, action: string, env: NodeJS.ProcessEnv): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, [action], { env, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });

const meanings: { readonly [code: number]: string } = {
  0: 'done, or running',
  1: 'failed',
  2: 'cannot work on this node as configured',
  3: 'the agent has no such action',
  4: 'needs root',
  5: 'something it needs is not installed',
  6: 'the parameters are wrong',
  7: 'not running',
  8: 'running, promoted',
  9: 'failed while promoted',
  190: 'running, degraded',
  191: 'promoted, degraded',
};

export function codeInWords(code: number): string {
  const name = Object.entries(exitCode).find(([, number]) => number === code)?.[0];
  return `${code}, ${meanings[code] ?? (code > 128 ? `ended by signal ${code - 128}` : 'no code of OCF')}${name ? ` (${name})` : ''}`;
}

const wellCodes: ReadonlySet<number> = new Set([exitCode.ok, exitCode.promoted]);
const lookCodes: ReadonlySet<number> = new Set([
  exitCode.notRunning,
  exitCode.degraded,
  exitCode.degradedPromoted,
]);

function endingOf(code: number): Ending {
  if (wellCodes.has(code)) return 'well';
  return lookCodes.has(code) ? 'attention' : 'broken';
}
