/** Whose agent: Debian's shell agent, or a flavour of ours. */
export const contestants = ['stock', 'native', 'script'] as const;
export type Contestant = (typeof contestants)[number];

/** One round: the contestants in turn, a few calls each. Milliseconds, medians of the round. */
export type Round = Readonly<Record<Contestant, { readonly wall: number; readonly cpu: number }>>;

/** What one call costs beside time; the same at every call. */
export type Footprint = {
  /** Of the biggest process, kernel's ru_maxrss. */
  readonly peakKib: number;
  /** Processes that executed a program, the agent's own not counted. */
  readonly commands: number;
  /** Processes started, the agent's own included; threads are none. */
  readonly processes: number;
};

export type Figures = {
  readonly wall: number;
  readonly cpu: number;
  /** Against the stock agent, the median of the rounds' own ratios: a machine that is busy for a while is so for all of them. */
  readonly wallRatio: number;
  readonly cpuRatio: number;
};

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

export function figuresOf(rounds: readonly Round[], who: Contestant): Figures {
  const of = (what: 'wall' | 'cpu') => median(rounds.map((round) => round[who][what]));
  const ratio = (what: 'wall' | 'cpu') => median(rounds.map((round) => round[who][what] / round.stock[what]));
  return { wall: of('wall'), cpu: of('cpu'), wallRatio: ratio('wall'), cpuRatio: ratio('cpu') };
}

/** Sum of what several rows cost, round by round, e.g. all six meta-data. */
export function sumOf(rows: readonly (readonly Round[])[]): readonly Round[] {
  const rounds = Math.min(...rows.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, n) => {
    const total = (who: Contestant) => ({
      wall: rows.reduce((sum, row) => sum + (row[n]?.[who].wall ?? 0), 0),
      cpu: rows.reduce((sum, row) => sum + (row[n]?.[who].cpu ?? 0), 0),
    });
    return { stock: total('stock'), native: total('native'), script: total('script') };
  });
}

/**
 * From the lines of `strace -f`. The agent's own process may execute one program after the other, as our launchers do; so may a
 * command (drbdsetup gives way to the one for the kernel's version): each counts once.
 */
export function countProcesses(trace: string): Omit<Footprint, 'peakKib'> {
  const lines = trace.split('\n');
  const [own] = lines[0]?.split(' ') ?? [];
  const executed = lines
    .filter((line) => /\bexecve(at)?\(.*= 0$|<\.\.\. execve(at)? resumed>.*= 0$/.test(line))
    .map((line) => line.split(' ')[0]);
  const begun = lines.filter(
    (line) => /\b(clone3?|v?fork)\(/.test(line) && !line.includes('CLONE_THREAD') && !/= -1 /.test(line),
  );
  return {
    commands: new Set(executed.filter((pid) => pid !== own)).size,
    processes: begun.length + 1,
  };
}
