/**
 * Processor time of this process, in milliseconds. On a busy machine the clock on the wall says more of the longer text: it is interrupted
 * every few milliseconds, which the shorter one is not.
 */
function spentMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** How many times as long the second text takes as the first, by the shortest of some runs of each, by turns. */
function ratio(work: (text: string) => unknown, short: string, long: string, runs: number): number {
  const shortest = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as [number, number];
  for (let run = 0; run < runs; run++)
    for (const [at, text] of [short, long].entries()) {
      const since = spentMs();
      work(text);
      shortest[at as 0 | 1] = Math.min(shortest[at as 0 | 1], spentMs() - since);
    }
  return shortest[1] / Math.max(shortest[0], measurableMs);
}

/** Below this a clock says more about itself. */
const measurableMs = 0.005;

/** What is linear takes this many times as long, what is quadratic the square of it. */
const factor = 8;
/** Nearer to the square: a collection of garbage may come with every run of the longer text. */
const limit = 40;

/** What grows with the fourth power, or doubles with every character, is seen in a short text, and would take for ever in a long one. */
const shortSizes = [2, 8, 40, 500];

/**
 * Whether a text that is `factor` times as long takes so much longer that it cannot be linear. Whatever else the machine does can only
 * make single runs longer: so one doubtful run is nothing, and the shortest of several decides.
 */
export const isSuperLinear = (
  work: (text: string) => unknown,
  textOf: (size: number) => string,
  sizes: readonly number[] = shortSizes,
): boolean =>
  sizes.some((size) => {
    const [short, long] = [textOf(size), textOf(size * factor)];
    return [1, 3, 30].every((runs) => ratio(work, short, long, runs) > limit);
  });
