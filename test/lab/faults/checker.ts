import type { Attempt } from '../workload/journal.ts';

/** What one program has appended, each record acknowledged with its number, against the file as it is on the server's disk. */
export interface Wrongs {
  lost: string[];
  repeated: string[];
  disordered: string[];
  unreadable: string[];
  /** Nobody ever wrote it. */
  unknown: string[];
}

/** After a write that was refused, a Linux client goes on behind where it would have ended: a hole, and before it what the server took of it. */
const linesOf = (text: string): string[] =>
  text
    .replaceAll(/[^\n\0]*\0+/g, '')
    .split('\n')
    .filter(Boolean);
const numbersOf = (text: string): number[] => linesOf(text).map(Number);
const acknowledged = (attempts: readonly Attempt[]): number[] =>
  attempts.filter(({ outcome }) => outcome === 'ok').map(({ number }) => number);

/** The one that is underway is in no journal yet. */
function wasTried(attempts: readonly Attempt[]): (number: number) => boolean {
  const tried = new Set(attempts.map(({ number }) => number));
  const next = (attempts.at(-1)?.number ?? 0) + 1;
  return (number) => tried.has(number) || number === next;
}

/** `attempts` were read before the file, `later` after it: what is in the file must be among them. */
export function judgeAppends(
  attempts: readonly Attempt[],
  text: string,
  later: readonly Attempt[] = attempts,
): Wrongs {
  const all = linesOf(text);
  const unreadable = all
    .filter((line) => !/^\d+$/.test(line))
    .map((line) => JSON.stringify(line.slice(0, 40)));
  const found = numbersOf(text).filter((number) => !Number.isNaN(number));
  const isKnown = wasTried(later);
  const unknown = found.filter((number) => !isKnown(number)).map(String);
  const there = new Set(found);
  const seen = new Set<number>();
  const repeated: string[] = [];
  const disordered: string[] = [];
  let before = 0;
  for (const number of found) {
    if (seen.has(number)) repeated.push(String(number));
    else if (number < before) disordered.push(`${number} after ${before}`);
    seen.add(number);
    before = Math.max(before, number);
  }
  const lost = acknowledged(attempts)
    .filter((number) => !there.has(number))
    .map(String);
  return { lost, repeated, disordered, unreadable, unknown };
}

/** The file is wholly of one rename, and of none that is older than the last acknowledged one. */
export function judgeReplaced(
  attempts: readonly Attempt[],
  text: string,
  later: readonly Attempt[] = attempts,
): string | undefined {
  const last = Math.max(0, ...acknowledged(attempts));
  const numbers = numbersOf(text);
  const kinds = [...new Set(numbers)];
  if (last === 0 && numbers.length === 0) return undefined;
  const lines = 3000;
  if (kinds.length !== 1 || numbers.length !== lines)
    return `torn: ${numbers.length} lines of ${kinds.slice(0, 3).join(', ')}`;
  const [number = 0] = numbers;
  if (!wasTried(later)(number)) return `it is the ${number}th, which nobody wrote`;
  return number < last ? `it is the ${number}th, the ${last}th was acknowledged` : undefined;
}

/** One line of the file that is written under a lock. */
interface Turn {
  count: number;
  who: string;
  number: number;
}

const parseTurns = (text: string): Turn[] =>
  linesOf(text).map((line) => {
    const [count, who = '', number] = line.split(' ');
    return { count: Number(count), who, number: Number(number) };
  });

/** Whoever had the lock beside another counted on from the same line, or wrote over the other's. */
export function judgeTurns(
  attempts: ReadonlyMap<string, readonly Attempt[]>,
  text: string,
  later: ReadonlyMap<string, readonly Attempt[]> = attempts,
): string[] {
  const turns = parseTurns(text);
  const wrongs = turns
    .filter(({ count }, index) => count !== (turns[index - 1]?.count ?? 0) + 1)
    .map(({ count, who }) => `${who} counted ${count} where another had`);
  for (const [who, all] of attempts) {
    const own = judgeAppends(
      all,
      turns
        .filter((turn) => turn.who === who)
        .map(({ number }) => number)
        .join('\n'),
      later.get(who),
    );
    for (const [what, which] of Object.entries(own) as [string, string[]][])
      wrongs.push(...which.map((one) => `${who} ${what} ${one}`));
  }
  return wrongs;
}

/** Of a lock that one client keeps and another wants. */
interface LockHistory {
  /** How often its keeper was told by an error that it is gone, and the seconds since it had been able to use it. */
  told: number[];
  /** How often the other one got it, and the keeper went on without a word. */
  silently: number;
}

/** Of all attempts there were; of a lock that was given back and taken anew nobody lost anything. */
export function judgeLock(keeper: readonly Attempt[], rival: readonly Attempt[]): LockHistory {
  const holds = ({ outcome }: Attempt): boolean => outcome === 'ok' || outcome === 'locked';
  const told = keeper.flatMap((lost, index) => {
    if (lost.outcome !== 'lost') return [];
    const before = keeper.slice(0, index).findLast(holds);
    return [lost.end - (before ?? lost).end];
  });
  const uses = keeper.filter(({ outcome }) => outcome !== 'error');
  const silently = rival.filter(({ outcome, start, end }) => {
    if (outcome !== 'stolen') return false;
    const before = uses.findLast((use) => use.end <= start);
    const [after, next] = uses.filter((use) => use.start >= end);
    // the server may take one more write before its client learns that it has nothing any more
    return (
      before !== undefined && holds(before) && after?.outcome === 'ok' && next && next.outcome !== 'lost'
    );
  }).length;
  return { told, silently };
}

/** What lockd of a client writes into its kernel's log when the server would not give a lock back, and whose process it was. */
export const reclaimsFailed = (log: string, pid: string): number =>
  log.split('\n').filter((line) => line.includes(`lockd: failed to reclaim lock for pid ${pid} `)).length;

/** Of answers `BYTES SUM`: a disk that could not be read has the same sum as another one that could not. */
export const areAlike = (bytes: number, sums: readonly string[]): boolean =>
  bytes > 0 && sums.every((sum) => sum === sums[0] && sum.startsWith(`${bytes} `));
