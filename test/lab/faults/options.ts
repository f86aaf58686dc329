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

/** Of every test run: a few minutes on a quiet machine, other faults each day. */
export const ofTests = (): FaultOptions => ({
  seed: Number(new Date().toISOString().slice(0, 10).replaceAll('-', '')),
  kinds: [],
  count: 5,
  minutes: Number.POSITIVE_INFINITY,
  record: false,
});

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
