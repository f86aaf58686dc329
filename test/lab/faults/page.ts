import type { FaultRecord, RunRecord } from './ledger.ts';

const clients = ['3', '4.0', '4.2'] as const;

const median = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const seconds = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(0));

/** Typical and worst. */
const pauseOf = (faults: readonly FaultRecord[], client: string): string => {
  const all = faults.map(({ pauses }) => pauses[client]).filter((one) => one !== undefined);
  return all.length === 0 ? '' : `${seconds(median(all))} / ${seconds(Math.max(...all))}`;
};

const waitOf = (faults: readonly FaultRecord[], what: string): string =>
  seconds(median(faults.map(({ waits }) => waits?.[what]).filter((one) => one !== undefined)));

const sum = (faults: readonly FaultRecord[], of: (fault: FaultRecord) => number): number =>
  faults.reduce((total, fault) => total + of(fault), 0);

const head = [
  'kind',
  'injected',
  'by itself',
  'a person',
  'records lost',
  'locks lost, told',
  'locks lost silently',
  ...clients.map((client) => `pause, NFSv${client}`),
  'served',
  'both copies',
  'new locks',
];

const row = (kind: string, faults: readonly FaultRecord[]): string[] => [
  kind,
  String(faults.length),
  String(faults.filter(({ survived }) => survived).length),
  String(faults.filter(({ human }) => human).length),
  String(sum(faults, ({ lost }) => lost)),
  String(sum(faults, ({ locksTold }) => locksTold)),
  String(sum(faults, ({ locksSilent }) => locksSilent)),
  ...clients.map((client) => pauseOf(faults, client)),
  waitOf(faults, 'served'),
  waitOf(faults, 'synced'),
  waitOf(faults, 'locked'),
];

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(faults: readonly FaultRecord[]): string[] {
  const names = [...new Set(faults.map(({ kind, target }) => `${kind}, ${target}`))].toSorted();
  return [
    line(head),
    line(head.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...names.map((name) =>
      line(
        row(
          name,
          faults.filter(({ kind, target }) => `${kind}, ${target}` === name),
        ),
      ),
    ),
    line(row(`**all, ${new Set(faults.map(({ kind }) => kind)).size} kinds**`, faults)),
  ];
}

const width = 40;

/** When what happened in a run, and how long until all was well. */
function timeline({ date, seed, faults }: RunRecord): string[] {
  const whole = Math.max(...faults.map(({ until }) => until));
  const column = (time: number): number => Math.round((time / whole) * width);
  const clock = (time: number): string =>
    `${String(Math.floor(time / 60)).padStart(3)}:${String(time % 60).padStart(2, '0')}`;
  return [
    `The longest run, of ${date}, seed ${seed}:`,
    '',
    '```text',
    ...faults.map(({ kind, target, at, until }) => {
      const bar = ' '.repeat(column(at)) + '█'.repeat(Math.max(1, column(until) - column(at)));
      return `${clock(at)}  ${bar.padEnd(width + 1)}  ${kind}, ${target}`;
    }),
    '```',
  ];
}

const listed = (runs: readonly RunRecord[], of: (fault: FaultRecord) => readonly string[]): string[] =>
  runs.flatMap(({ date, commit, seed, faults }) =>
    faults
      .filter((fault) => of(fault).length > 0)
      .map(
        (fault) =>
          `- ${date}, ${commit}, seed ${seed}: ${fault.kind}, ${fault.target}: ${of(fault).map(inShort).join('; ')}`,
      ),
  );

const inShort = (text: string): string => text.split('\n').join(' ').slice(0, 400);

const chapters = [
  { title: 'Without fencing', of: (run: RunRecord) => !run.fencing && !run.provider.startsWith('stock') },
  { title: 'With fencing', of: (run: RunRecord) => run.fencing && !run.provider.startsWith('stock') },
  { title: 'The stock agents', of: (run: RunRecord) => run.provider.startsWith('stock') },
];

/** What the ledger sums up to, in Markdown. */
export function reliabilityTables(runs: readonly RunRecord[]): string {
  const lines = chapters.flatMap(({ title, of }) => {
    const own = runs.filter(of);
    const faults = own.flatMap((run) => run.faults);
    if (faults.length === 0) return [];
    const wrongs = listed(own, ({ wrongs }) => wrongs);
    const notJudged = listed(own, ({ notJudged }) => notJudged ?? []);
    const longest = own.toSorted((a, b) => b.faults.length - a.faults.length)[0];
    const seeds = [...new Set(own.map(({ seed }) => seed))].join(', ');
    return [
      `## ${title}`,
      '',
      `${faults.length} faults in ${own.length} runs, seeds ${seeds}.`,
      '',
      ...table(faults),
      '',
      ...(wrongs.length > 0 ? ['What was not as it should be:', '', ...wrongs, ''] : []),
      ...(notJudged.length > 0 ? ['What could not be judged:', '', ...notJudged, ''] : []),
      ...(longest ? [...timeline(longest), ''] : []),
    ];
  });
  return `${lines.join('\n').trimEnd()}\n`;
}
