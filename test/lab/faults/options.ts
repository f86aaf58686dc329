/** How the campaign is played. */
export interface FaultOptions {
  seed: number;
  /** Kinds by a part of their name; all of them when empty. */
  kinds: readonly string[];
  /** Until so many faults were injected, or so much time is over, whichever comes first. */
  count: number;
  minutes: number;
  /** Only this one of the schedule. */
  only?: number | undefined;
  /** Writes what came of it down in the tree. */
  record: boolean;
}

/**
 * Of every test run: a few minutes on a quiet machine. The same faults each time: a run says something of a commit, not of a day. Here a
 * node of either role dies, a link is cut for long, Pacemaker's own process is killed, a hand takes the address away.
 */
export const ofTests = (): FaultOptions => ({
  seed: 9,
  kinds: [],
  count: 5,
  minutes: Number.POSITIVE_INFINITY,
  record: false,
});

export const seedOfTheDay = (): number => Number(new Date().toISOString().slice(0, 10).replaceAll('-', ''));

/** The words that play one fault again. */
export const again = (
  { suite, campaign, provider }: { suite: string; campaign: string; provider: string },
  { seed, kinds }: FaultOptions,
  number: number,
): string =>
  [
    `./build.sh faults --seed ${seed} --only ${number}`,
    ...(kinds.length > 0 ? [`--kinds '${kinds.join(',')}'`] : []),
    ...(campaign === 'fenced' ? ['--fencing'] : []),
    ...(provider.startsWith('stock') ? ['--stock'] : []),
    ...(suite === 'bookworm' ? [] : [`--suite ${suite}`]),
  ].join(' ');
