/** What came of scenarios that were played one after another. */
export interface Ending {
  /** Why scenarios ended before their time; one that others build upon ends them with it. */
  failures: Error[];
  /** Scenarios that were never begun. */
  skipped: number;
}

/**
 * Plays scenarios in turn. The first failure ends them, unless there is a way to `recover`: what a scenario left behind is mended
 * then, and the next one has its turn. Where that fails as well, the rest is skipped.
 */
export async function inTurn<T>(
  scenarios: readonly ((run: T) => Promise<void>)[],
  run: T,
  onFailure: (failure: Error) => Promise<void>,
  recover?: (run: T) => Promise<void>,
): Promise<Ending> {
  const failures: Error[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    const skipped = scenarios.length - index - 1;
    try {
      await scenario(run);
    } catch (error) {
      failures.push(asError(error));
      await onFailure(asError(error));
      if (!recover) return { failures, skipped };
      if (skipped === 0) break;
      try {
        await recover(run);
      } catch (trouble) {
        failures.push(asError(trouble));
        return { failures, skipped };
      }
    }
  }
  return { failures, skipped: 0 };
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
