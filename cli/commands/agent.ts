import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { exitCode } from '../../lib/contract/outcome.ts';
import { handInstance } from '../../lib/contract/request.ts';
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

/** Throws `CommandError` for a parameter that the agent does not have. */
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
      if (/^meta_\w+$/.test(key)) return [`OCF_RESKEY_CRM_${key}`, value] as const;
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
