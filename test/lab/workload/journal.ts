export interface Attempt {
  outcome: string;
  number: number;
  start: number;
  end: number;
  message: string;
}

/** Reads what journal.py wrote; a last line without its line end is still being written. */
export const parseJournal = (text: string): Attempt[] =>
  [...text.matchAll(/^(\S+) (\d+) ([\d.]+) ([\d.]+) (.*)\n/gm)].map(
    ([, outcome = '', number, start, end, message = '']) => ({
      outcome,
      number: Number(number),
      start: Number(start),
      end: Number(end),
      message,
    }),
  );

export const ofOutcome = (attempts: Attempt[], ...outcomes: string[]): Attempt[] =>
  attempts.filter(({ outcome }) => outcomes.includes(outcome));

/** Seconds the slowest attempt took among those that ended after a moment. */
export const longestStall = (attempts: Attempt[], since: number): number =>
  Math.max(0, ...attempts.filter(({ end }) => end >= since).map(({ start, end }) => end - start));

export interface Comparison {
  acknowledged: number;
  found: number;
  lost: number[];
  repeated: number[];
}

/**
 * Every acknowledged record must be in the file, once; one that was never acknowledged may be there too, or a hole in its place: after a
 * write that the server refused, a Linux client goes on behind where it would have ended.
 */
export function compareRecords(acknowledged: number[], fileText: string): Comparison {
  const copies = new Map<number, number>();
  for (const line of fileText.replaceAll('\0', '').trim().split('\n').filter(Boolean))
    copies.set(Number(line), (copies.get(Number(line)) ?? 0) + 1);
  const lost = acknowledged.filter((number) => !copies.has(number));
  return {
    acknowledged: acknowledged.length,
    found: acknowledged.length - lost.length,
    lost,
    repeated: [...copies].filter(([, count]) => count > 1).map(([number]) => number),
  };
}
