import { setTimeout as sleep } from 'node:timers/promises';
import type { DrbdState } from '../../../cluster/drbd.ts';
import type { NodeName } from '../../../settings.ts';
import type { Run } from '../../run.ts';
import { isDrbd9, tag } from '../cases.ts';
import { drbdIs } from '../waiting.ts';
import { type Call, callAgent, sentinel } from './call.ts';

/** A call, and what must come of it. */
export interface Expectation extends Call {
  code: number;
  /** What becomes of the promotion score; no word about it: nobody looks. */
  score?: number | 'deleted' | 'untouched';
  says?: RegExp;
  /** Seconds; a share of the timeout, never what a quiet machine needs. */
  within?: number;
}

/** A monitor that looks at the score as well. */
export const monitor = (
  code: number,
  score: NonNullable<Expectation['score']>,
  more: Partial<Expectation> = {},
) => ({
  action: 'monitor',
  code,
  score,
  ...more,
});

/** What is on the nodes, made with DRBD's own tools, and how the agent answers to it. */
export interface Situation {
  /** Numbers of the specification's rows that it shows. */
  cases: readonly number[];
  what: string;
  /** Cannot be made, or is no such situation, with DRBD 9. */
  only84?: true;
  /** Where it is left out: leads to what the next one expects to find. */
  otherwise?: readonly (readonly [NodeName, command: string])[];
  /** One after another, before the calls. */
  make?: readonly (readonly [NodeName, command: string])[];
  until?: Partial<Record<NodeName, Partial<DrbdState> | 'down'>>;
  on?: NodeName;
  calls?: readonly Expectation[];
  /** After the calls. */
  leaves?: Situation['until'];
  /** A command on the node that succeeds only if all is well. */
  proof?: string;
}

/** Seconds for one of them, on a machine that has other things to do. */
const limit = 400;

/** Every situation is a check; one that fails does not keep the others from their turn. */
export async function playSituations(
  run: Run,
  title: string,
  situations: readonly Situation[],
): Promise<void> {
  await run.steps.run(`by hand: ${title}`, 900, (signal) => playAll(run, title, situations, signal));
}

/** Two tables at once that have nothing to do with each other. */
export async function playBeside(
  run: Run,
  tables: readonly (readonly [title: string, situations: readonly Situation[]])[],
): Promise<void> {
  const titles = tables.map(([title]) => title).join('; ');
  await run.steps.run(`by hand: ${titles}`, 900, async (signal) => {
    await Promise.all(tables.map(([title, situations]) => playAll(run, title, situations, signal)));
  });
}

async function playAll(
  run: Run,
  title: string,
  situations: readonly Situation[],
  signal: AbortSignal,
): Promise<void> {
  for (const [index, whole] of situations.entries()) {
    const situation = onThisDrbd(run, whole);
    if (!situation) continue;
    const began = Date.now();
    const name = `row-${title.replace(/\W+/g, '-')}-${index}-${began}`;
    const complaints = await within(limit, signal, (limited) => play(run, situation, name, limited)).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        return [String(error)];
      },
    );
    const { cases, what } = situation;
    const detail = complaints.join('; ') || `${((Date.now() - began) / 1000).toFixed(1)} s`;
    run.checks.add(`${tag(run, ...cases)}${what}`, complaints.length === 0, detail);
  }
}

/** The situation as it is played with this kernel's DRBD; `undefined` when nothing is to be done for it. */
export function onThisDrbd(run: Pick<Run, 'drbd'>, situation: Situation): Situation | undefined {
  const { only84, otherwise, what, on } = situation;
  if (!only84 || !isDrbd9(run)) return situation;
  return otherwise && { cases: [], what: `left out on DRBD 9: ${what}`, make: otherwise, ...(on && { on }) };
}

/**
 * A command that hangs on a node keeps its connection, and us with it: nobody waits for the work once the time is up. (Node's own
 * AbortSignal.any and AbortSignal.timeout do not survive garbage collection together.)
 */
async function within<T>(
  seconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limited = new AbortController();
  const end = (): void => limited.abort(signal.reason);
  const timer = setTimeout(() => limited.abort(new Error(`not done within ${seconds} s`)), seconds * 1000);
  signal.addEventListener('abort', end);
  const timeIsUp = new Promise<never>((_, reject) => {
    limited.signal.addEventListener('abort', () => reject(limited.signal.reason));
  });
  try {
    return await Promise.race([work(limited.signal), timeIsUp]);
  } catch (error) {
    throw limited.signal.aborted ? limited.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

async function play(run: Run, situation: Situation, name: string, signal: AbortSignal): Promise<string[]> {
  const { lab } = run;
  const { make = [], until = {}, leaves = {}, on = 'node1', calls = [], proof } = situation;
  for (const [node, command] of make) await lab.machine(node).run(command, { signal });
  await allAre(run, until, signal);
  const complaints: string[] = [];
  for (const [index, expected] of calls.entries()) {
    const found = await complaintsAbout(run, on, { instance: `${name}-${index}`, ...expected }, signal);
    complaints.push(...found.map((complaint) => `${expected.action}: ${complaint}`));
  }
  await allAre(run, leaves, signal);
  if (proof) await lab.machine(on).run(proof, { signal });
  return complaints;
}

async function allAre(run: Run, wanted: NonNullable<Situation['until']>, signal: AbortSignal): Promise<void> {
  for (const [node, state] of Object.entries(wanted)) await drbdIs(run, node as NodeName, state, signal);
}

async function complaintsAbout(
  run: Run,
  node: NodeName,
  expected: Expectation & { instance: string },
  signal: AbortSignal,
): Promise<string[]> {
  const machine = run.lab.machine(node);
  const { code, said, seconds } = await callAgent(
    machine,
    { ...expected, scored: expected.score !== undefined },
    { signal },
  );
  const score = await scoreOf(run, node, expected, signal);
  const { says = /(?:)/, within = Number.POSITIVE_INFINITY } = expected;
  return [
    ...(code === expected.code ? [] : [`${code} instead of ${expected.code} (${said})`]),
    ...(score === undefined ? [] : [`score ${score} instead of ${expected.score}`]),
    ...(says.test(said) ? [] : [`it says "${said}" and not ${says}`]),
    ...(seconds <= within ? [] : [`it took ${seconds.toFixed(1)} s`]),
  ];
}

/** Nothing when it is as it should be, which takes Pacemaker a moment. */
async function scoreOf(
  { cluster }: Run,
  node: NodeName,
  { score, instance }: Expectation & { instance: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  if (score === undefined) return undefined;
  const wanted = score === 'untouched' ? sentinel : score === 'deleted' ? undefined : score;
  if (score === 'untouched') await sleep(300, undefined, { signal });
  for (let tries = 0; ; tries++) {
    const found = await cluster.promotionScore(node, signal, instance);
    if (found === wanted) return undefined;
    if (tries === 10) return String(found ?? 'deleted');
    await sleep(200, undefined, { signal });
  }
}
