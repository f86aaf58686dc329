import fc from 'fast-check';

// Truth campaigns: random situations on the real kernel, which is the judge. What fails is made as small as it gets, and the words
// that replay it are printed.

/** `TSHA_CAMPAIGN_SEED`, `TSHA_CAMPAIGN_RUNS` and `TSHA_CAMPAIGN_PATH` of the environment, where set. */
const fromEnvironment = (name: 'SEED' | 'RUNS' | 'PATH'): string | undefined =>
  process.env[`TSHA_CAMPAIGN_${name}`] || undefined;

export type Campaign<Situation> = {
  /** The test file, as vitest is told it; or, of another runner, the whole command: for the words that replay a failure. */
  readonly file: string;
  readonly situations: fc.Arbitrary<Situation>;
  /** How many situations an ordinary run tries at most; `TSHA_CAMPAIGN_RUNS` says otherwise. */
  readonly runs: number;
  /** For how many seconds an ordinary run tries new ones. */
  readonly seconds?: number;
  /** Makes the situation, acts in it, and throws where the kernel's own table says something else than the agent. Tidies up. */
  readonly judge: (situation: Situation) => Promise<void>;
};

/** Of a single campaign in an ordinary run: all of them together take about three minutes of a quiet machine with two processors. */
const ordinarySeconds = 60;

/** The same code is told the same in every ordinary run; whoever asks for many situations looks for new ones. */
const ordinarySeed = 20261129;

/** Tries every situation of a campaign and says with which seed; throws for the smallest one that fails, with the way back to it. */
export async function campaign<Situation>(given: Campaign<Situation>): Promise<void> {
  console.log(await tried(given));
}

/** The same; the words are returned. */
export async function tried<Situation>({
  file,
  situations,
  runs,
  seconds = ordinarySeconds,
  judge,
}: Campaign<Situation>): Promise<string> {
  const path = fromEnvironment('PATH');
  const asked = path ? '1' : fromEnvironment('RUNS');
  const seed = Number(fromEnvironment('SEED') ?? (asked ? Date.now() & 0x7fffffff : ordinarySeed));
  const since = performance.now();
  const limit = asked ? longestMs / 3 : seconds * 1000;
  let judged = 0;
  // On a busy machine fewer situations are tried, none of them less strictly. Not by fast-check's own limit, which leaves the one underway.
  const property = fc.asyncProperty(situations, async (situation) => {
    if (judged > 0 && performance.now() - since >= limit) return;
    judged++;
    await judge(situation);
  });
  const told = await fc.check(property, {
    seed,
    numRuns: Number(asked ?? runs),
    ...(path && { path, endOnFailure: true }),
  });
  const took = ((performance.now() - since) / 1000).toFixed(0);
  if (told.failed) throw new Error(failureOf(file, told, seed));
  return `${file}: ${judged} situations in ${took} s, seed ${seed}`;
}

/** The time limit of a campaign's test: for an ordinary run on a machine that has much else to do, or for what was asked by hand. */
export const longestMs = 900_000 * Math.max(1, Number(fromEnvironment('RUNS') ?? 0) / 200);

function failureOf<T>(file: string, told: fc.RunDetails<[T]>, seed: number): string {
  const error = told.errorInstance instanceof Error ? told.errorInstance : undefined;
  const back = told.counterexamplePath === null ? '' : ` TSHA_CAMPAIGN_PATH=${told.counterexamplePath}`;
  const command = file.endsWith('.test.ts') ? `npx vitest run --project host ${file}` : file;
  return [
    `situation ${told.numRuns} of the campaign failed`,
    `again: TSHA_CAMPAIGN_SEED=${seed}${back} ${command}`,
    ...(told.counterexample ? [`situation: ${fc.stringify(told.counterexample[0])}`] : []),
    error?.message ?? String(told.errorInstance ?? ''),
    error?.stack ?? '',
  ].join('\n');
}
