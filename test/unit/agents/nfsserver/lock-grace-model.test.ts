import { describe, expect, test } from 'vitest';

// May lockd's grace period end before its time? A model of what NLM and NSM tell a server, small enough to try everything: two hosts with
// some locks each, a server that dies or is stopped, claims that come one by one. docs/differences/nfsserver.md draws the conclusion.

type Lock = string; // 'a1': lock 1 of host a
type State = {
  /** What the hosts believe to have. */
  readonly held: readonly Lock[];
  readonly granted: readonly Lock[];
  /** What the server that ended had written down. */
  readonly ledger: readonly Lock[];
  readonly told: readonly string[];
  readonly isInGrace: boolean;
  readonly moves: number;
  readonly story: readonly string[];
};
const hostOf = (lock: Lock): string => lock.slice(0, 1);
const without = (all: readonly Lock[], one: Lock) => all.filter((lock) => lock !== one);
const hasAll = (some: readonly Lock[], of: readonly Lock[]) => of.every((lock) => some.includes(lock));

type World = {
  /** When a server may end grace early, from what it can see: who was told, what it has granted, what its forerunner left. */
  readonly ends: (seen: Pick<State, 'told' | 'granted' | 'ledger'>, onRecord: readonly string[]) => boolean;
  /** What a server writes down of its locks as it ends: `last look` lacks the lock that came since. */
  readonly writes: 'all' | 'last look' | 'all, and what was never claimed';
  readonly locks: readonly Lock[];
  readonly moves: number;
};

/** Everything that may happen next. */
function* steps({ ends, writes, moves }: World, now: State): Generator<State> {
  const next = (what: string, more: Partial<State>): State => ({
    ...now,
    ...more,
    story: [...now.story, what],
  });
  if (now.moves < moves) {
    const kept = { all: now.granted, 'last look': now.granted.slice(0, -1) };
    const ledger =
      writes === 'all, and what was never claimed'
        ? [...new Set([...now.granted, ...(now.isInGrace ? now.ledger : [])])]
        : kept[writes];
    yield next('the server moves', {
      ...{ granted: [], ledger, told: [], isInGrace: true, moves: now.moves + 1 },
    });
  }
  if (now.moves === 0) return;
  for (const host of new Set(now.held.map(hostOf)))
    if (!now.told.includes(host)) yield next(`${host} is told`, { told: [...now.told, host] });
  if (now.isInGrace)
    for (const lock of now.held)
      if (now.told.includes(hostOf(lock)) && !now.granted.includes(lock))
        yield next(`${lock} is claimed`, { granted: [...now.granted, lock] });
  for (const lock of now.granted)
    if (now.held.includes(lock))
      yield next(`${lock} is given back`, {
        ...{ held: without(now.held, lock), granted: without(now.granted, lock) },
      });
  if (now.isInGrace && ends(now, [...new Set(now.held.map(hostOf))]))
    yield next('the grace period ends early', { isInGrace: false });
}

/** How a lock gets lost: after the end of grace somebody else could have one that a host believes in. */
function counterexample(world: World): readonly string[] | undefined {
  const { locks } = world;
  const first: State = {
    ...{ held: locks, granted: locks, ledger: [], told: [], isInGrace: false, moves: 0, story: [] },
  };
  const seen = new Set<string>();
  const queue = [first];
  for (let now = queue.shift(); now !== undefined; now = queue.shift()) {
    if (now.moves > 0 && !now.isInGrace && !hasAll(now.granted, now.held)) return now.story;
    const { story: _, ...rest } = now;
    const key = JSON.stringify({ ...rest, granted: now.granted.toSorted(), told: now.told.toSorted() });
    if (seen.has(key)) continue;
    seen.add(key);
    queue.push(...steps(world, now));
  }
  return undefined;
}

const locks = ['a1', 'a2', 'b1'];
const everybodyTold: World['ends'] = ({ told }, onRecord) => hasAll(told, onRecord);
const everybodyMonitored: World['ends'] = ({ granted }, onRecord) => hasAll(granted.map(hostOf), onRecord);
const allOfTheLedger: World['ends'] = ({ granted, ledger }) => hasAll(granted, ledger);

describe("lockd's grace period ends early", () => {
  test.each<[string, World, RegExp]>([
    [
      'once everybody has confirmed that he was told: before anything is claimed',
      { ends: everybodyTold, writes: 'all', locks, moves: 1 },
      /^the server moves, a is told, b is told, the grace period ends early$/,
    ],
    [
      'once everybody on record is monitored again: a host is after the first of its locks',
      { ends: everybodyMonitored, writes: 'all', locks, moves: 1 },
      /^the server moves, (?!.*a1.*a2).*the grace period ends early$/,
    ],
    [
      'once all is claimed that a monitor saw last: a death leaves no newer list',
      { ends: allOfTheLedger, writes: 'last look', locks, moves: 1 },
      /the grace period ends early$/,
    ],
    [
      'once all is claimed that an orderly stop left, which comes before the first stop was over and done with',
      { ends: allOfTheLedger, writes: 'all', locks, moves: 2 },
      /^the server moves, .*the server moves, .*the grace period ends early$/,
    ],
  ])('%s: a lock is lost', (_what, world, story) => {
    expect(counterexample(world)?.join(', ')).toMatch(story);
  });

  test.each<[string, World]>([
    [
      'with one lock for each host it would be enough to be monitored again',
      { ends: everybodyMonitored, writes: 'all', locks: ['a1', 'b1'], moves: 1 },
    ],
    [
      'a complete list that outlives a second move would be enough',
      { ends: allOfTheLedger, writes: 'all, and what was never claimed', locks, moves: 3 },
    ],
    ['the kernel never does', { ends: () => false, writes: 'all', locks, moves: 2 }],
  ])('%s', (_what, world) => {
    expect(counterexample(world)).toBeUndefined();
  });
});
