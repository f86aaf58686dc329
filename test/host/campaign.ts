import fc from 'fast-check';

// Truth campaigns: random situations on the real kernel, which is the judge. What fails is made as small as it gets, and the words
// that replay it are printed.

/** `TSHA_CAMPAIGN_SEED`, `TSHA_CAMPAIGN_RUNS` and `TSHA_CAMPAIGN_PATH` of the environment, where set. */
const fromEnvironment = (name: 'SEED' | 'RUNS' | 'PATH'): string | undefined =>
  process.env[`TSHA_CAMPAIGN_${name}`] || undefined;

export type Campaign<Situation> = {
  /** The test file, as vitest is told it: for the words that replay a failure. */
  readonly file: string;
  readonly situations: fc.Arbitrary<Situation>;
  /** How many situations an ordinary run tries; `TSHA_CAMPAIGN_RUNS` says otherwise. */
  readonly runs: number;
  /** Makes the situation, acts in it, and throws where the kernel's own table says something else than the agent. Tidies up. */
  readonly judge: (situation: Situation) => Promise<void>;
};

/** Tries every situation of a campaign and says with which seed; throws for the smallest one that fails, with the way back to it. */
export async function campaign<Situation>({
  file,
  situations,
  runs,
  judge,
}: Campaign<Situation>): Promise<void> {
  const seed = Number(fromEnvironment('SEED') ?? Date.now() & 0x7fffffff);
  const path = fromEnvironment('PATH');
  const numRuns = path ? 1 : Number(fromEnvironment('RUNS') ?? runs);
  const since = performance.now();
  const told = await fc.check(fc.asyncProperty(situations, judge), {
    seed,
    numRuns,
    ...(path && { path, endOnFailure: true }),
    // On a busy machine fewer situations are tried, none of them less strictly.
    markInterruptAsFailure: false,
    interruptAfterTimeLimit: longestMs / 3,
  });
  const seconds = ((performance.now() - since) / 1000).toFixed(0);
  if (told.failed) throw new Error(failureOf(file, told, seed));
  console.log(`${file}: ${told.numRuns} situations in ${seconds} s, seed ${seed}`);
}

/** The time limit of a campaign's test: for an ordinary run on a machine that has much else to do, or for what was asked by hand. */
export const longestMs = 900_000 * Math.max(1, Number(fromEnvironment('RUNS') ?? 0) / 200);

function failureOf<T>(file: string, told: fc.RunDetails<[T]>, seed: number): string {
  const error = told.errorInstance instanceof Error ? told.errorInstance : undefined;
  const back = told.counterexamplePath === null ? '' : ` TSHA_CAMPAIGN_PATH=${told.counterexamplePath}`;
  return [
    `situation ${told.numRuns} of the campaign failed`,
    `again: TSHA_CAMPAIGN_SEED=${seed}${back} npx vitest run --project host ${file}`,
    ...(told.counterexample ? [`situation: ${fc.stringify(told.counterexample[0])}`] : []),
    error?.message ?? String(told.errorInstance ?? ''),
    error?.stack ?? '',
  ].join('\n');
}
