import type { Log } from '../contract/log.ts';
import { type Params, type ParamTable, type RawParams, readParams } from '../contract/params.ts';
import type { Situation, Verdict } from '../contract/policy.ts';
import type { Request } from '../contract/request.ts';
import { mustBeRight, whenInvalid } from '../contract/when-invalid.ts';
import type { Memory } from '../host/memory.ts';
import type { AgentDef } from './agent.ts';

type Given<T extends ParamTable> = {
  readonly agent: AgentDef<T>;
  readonly situation: Situation;
  readonly request: Request;
  readonly memory: Memory;
  readonly log: Log;
  readonly raw: RawParams;
  readonly params: Params<T>;
};

/**
 * With which parameters an action goes on although some are wrong, or what it answers instead. What runs goes on with the values it runs with,
 * where only reloadable ones are wrong: whatever else a reload or a promotion said of them, Pacemaker would stop the resource, and its
 * start is refused on every node.
 */
export async function goOnDespite<T extends ParamTable>(
  wrong: readonly string[],
  { agent, situation, request, memory, log, raw, params }: Given<T>,
): Promise<Pick<Given<T>, 'raw' | 'params'> | Exclude<Verdict, 'look'>> {
  const isRight = (text: RawParams) => {
    const read = readParams(agent.params, text);
    const trouble = [...read.missing, ...read.problems];
    return trouble.length === 0 && (agent.rules?.(read.params, request) ?? []).length === 0;
  };
  const found = mustBeRight.has(situation)
    ? undefined
    : withLastRight(agent.params, raw, await memory.params().catch(() => undefined), isRight);
  const reason = wrong.join('; ');
  if (found === undefined) {
    const verdict = whenInvalid[situation];
    if (verdict !== 'look') return verdict;
    log.warn(reason);
    return { raw, params };
  }
  if (situation === 'reload' && found.kept.some((name) => agent.params[name]?.mustApply)) return 'failed';
  const values = found.kept.map(
    (name) => `${name}="${found.raw[name] ?? agent.params[name]?.default ?? ''}"`,
  );
  log.warn(`${reason}: going on with ${values.join(', ')}; a start will be refused`);
  return { raw: found.raw, params: readParams(agent.params, found.raw).params };
}

/** What to go on with, and the parameters among it that are not as given. */
export type LastRight = { readonly raw: RawParams; readonly kept: readonly string[] };

/**
 * What was given, with those reloadable parameters that are wrong as they were right last, or at their defaults. `undefined` where more is
 * wrong. A problem names no parameter: which ones it is about is found by trying.
 */
export function withLastRight(
  table: ParamTable,
  given: RawParams,
  last: RawParams = {},
  isRight: (raw: RawParams) => boolean,
): LastRight | undefined {
  const names = Object.keys(table).filter((name) => table[name]?.reloadable);
  const without = names.reduce((raw, name) => withValue(raw, name, undefined), given);
  const before = names.reduce((raw, name) => withValue(raw, name, last[name]), given);
  const begin = [before, without].find(isRight);
  if (begin === undefined) return undefined;
  const kept: string[] = [];
  let raw = begin;
  for (const name of names) {
    const next = withValue(raw, name, given[name]);
    if (isRight(next)) raw = next;
    else kept.push(name);
  }
  return { raw, kept };
}

function withValue(raw: RawParams, name: string, value: string | undefined): RawParams {
  const { [name]: _, ...others } = raw;
  return value === undefined ? others : { ...others, [name]: value };
}
