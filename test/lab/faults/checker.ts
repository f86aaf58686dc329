import type { Attempt } from '../workload/journal.ts';

/** What one program has appended, each record acknowledged with its number, against the file as it is on the server's disk. */
export interface Wrongs {
  lost: string[];
  repeated: string[];
  disordered: string[];
}

/** After a write that was refused, a Linux client goes on behind where it would have ended: a hole. */
const linesOf = (text: string): string[] => text.replaceAll('\0', '').split('\n').filter(Boolean);
const numbersOf = (text: string): number[] => linesOf(text).map(Number);
const acknowledged = (attempts: readonly Attempt[]): number[] =>
  attempts.filter(({ outcome }) => outcome === 'ok').map(({ number }) => number);

export function judgeAppends(attempts: readonly Attempt[], text: string): Wrongs {
  const found = numbersOf(text);
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
  return { lost, repeated, disordered };
}

/** The file is wholly of one rename, and of none that is older than the last acknowledged one. */
export function judgeReplaced(attempts: readonly Attempt[], text: string): string | undefined {
  const last = Math.max(0, ...acknowledged(attempts));
  const numbers = numbersOf(text);
  const kinds = [...new Set(numbers)];
  if (last === 0 && numbers.length === 0) return undefined;
  const lines = 3000;
  if (kinds.length !== 1 || numbers.length !== lines)
    return `torn: ${numbers.length} lines of ${kinds.slice(0, 3).join(', ')}`;
  const [number = 0] = numbers;
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
export function judgeTurns(attempts: ReadonlyMap<string, readonly Attempt[]>, text: string): string[] {
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
    );
    for (const [what, which] of Object.entries(own) as [string, string[]][])
      wrongs.push(...which.map((one) => `${who} ${what} ${one}`));
  }
  return wrongs;
}

/** A lock that somebody else got while its keeper believed to have it. */
export interface LockFate {
  /** The keeper was told by an error. */
  told: number;
  /** Others got it, and the keeper went on without a word. */
  silently: number;
}

/** `keeper` and `rival` are the attempts since a moment; of a lock that was given back and taken anew nobody lost anything. */
export function judgeLock(keeper: readonly Attempt[], rival: readonly Attempt[]): LockFate {
  const told = keeper.filter(({ outcome }) => outcome === 'lost').length;
  const uses = keeper.filter(({ outcome }) => outcome !== 'error');
  const silently = rival.filter(({ outcome, start, end }) => {
    if (outcome !== 'stolen') return false;
    const before = uses.filter((use) => use.end <= start).at(-1);
    const after = uses.find((use) => use.start >= end);
    const held = before?.outcome === 'ok' || before?.outcome === 'locked';
    return held && after?.outcome === 'ok';
  }).length;
  return { told, silently };
}
