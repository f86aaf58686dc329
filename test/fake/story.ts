import { expect } from 'vitest';
import type { Log } from '../../lib/contract/log.ts';
import type { Result } from '../../lib/ocf/run.ts';

// The language of the unit tests' tables: a situation, the calls made in it with the exit code of each, and what is left in the end.

/** One call of a story, and the exit code it must end with. */
export type Call = {
  /** As the story spells it: `rec 7`, `validate-all@10 5`. */
  readonly spelt: string;
  readonly action: string;
  readonly code: number;
  /** What tells a probe from a recurring monitor, and the check level. */
  readonly env: { readonly OCF_RESKEY_CRM_meta_interval: string; readonly OCF_CHECK_LEVEL: string };
};

/** What is added to the environment of a recurring monitor. */
export const recurring = { OCF_RESKEY_CRM_meta_interval: '10000' } as const;

/**
 * `start 0, rec 0, validate-all@10 5`: actions with their exit codes, separated by commas. `probe` and `rec` are monitors without
 * and with an interval, `@10` asks for a check level.
 */
const callsOf = (text: string): readonly Call[] =>
  text.split(', ').map((spelt) => {
    const [call = '', code] = spelt.split(' ');
    const [name = '', level = ''] = call.split('@');
    const action = name === 'rec' || name === 'probe' ? 'monitor' : name;
    const interval = name === 'rec' ? recurring.OCF_RESKEY_CRM_meta_interval : '0';
    return {
      spelt,
      action,
      code: Number(code),
      env: { OCF_RESKEY_CRM_meta_interval: interval, OCF_CHECK_LEVEL: level },
    };
  });

/**
 * Makes the calls of a story one after the other. Each must end with its exit code, and a failure with a sentence for the operator,
 * which `reason` describes.
 */
export async function checkCalls(
  text: string,
  call: (call: Call) => Promise<Result>,
  reason?: RegExp,
): Promise<void> {
  for (const [at, one] of callsOf(text).entries()) {
    const result = await call(one);
    const where = `call ${at}: ${one.spelt}`;
    expect(result, where).toMatchObject({ code: one.code });
    const isProbe = one.action === 'monitor' && one.env.OCF_RESKEY_CRM_meta_interval === '0';
    if (result.code > 0 && !isProbe) expect(result.reason, where).toBeTruthy();
    if (reason && result.reason) expect(result.reason, where).toMatch(reason);
  }
}

/** Parameters as Pacemaker hands them over. A name in capitals is a variable of its own: `OCF_CHECK_LEVEL`. */
export const environmentOf = (params: { readonly [name: string]: string }): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name === name.toUpperCase() ? name : `OCF_RESKEY_${name}`,
      value,
    ]),
  );

export const silentLog: Log = { crit() {}, error() {}, warn() {}, info() {}, debug() {} };

type Say = (message: string) => void;
const quiet: Say = () => {};

/** A log whose words, warnings or not, go to `lines`. */
export function wordsTo(lines: string[]): Log {
  const say: Say = (message) => void lines.push(message);
  return { crit: say, error: say, warn: say, info: say, debug: quiet };
}

/** A log of warnings and what is worse; the rest is dropped. */
export const troubleTo = (lines: string[]): Log => ({ ...wordsTo(lines), info: quiet });

/** A log that keeps its lines with the level in front: `warn no clients`. */
export function keptLog(lines: string[]): Log {
  const to =
    (level: string): Say =>
    (message) =>
      void lines.push(`${level} ${message}`);
  return { crit: to('crit'), error: to('error'), warn: to('warn'), info: to('info'), debug: quiet };
}

/** Everything goes to both. */
export function both(one: Log, other: Log): Log {
  const to =
    (level: keyof Log): Say =>
    (message) => {
      one[level](message);
      other[level](message);
    };
  return { crit: to('crit'), error: to('error'), warn: to('warn'), info: to('info'), debug: to('debug') };
}

/** Of these lines, the warnings and what is worse, one text. */
export const troubleIn = (lines: readonly string[]): string =>
  lines.filter((line) => /^(warn|error|crit) /.test(line)).join('\n');
