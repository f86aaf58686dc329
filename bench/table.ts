import type { Load } from './scale.ts';
import type { Piece } from './startup.ts';
import { type Contestant, contestants, type Footprint } from './statistics.ts';
import { type Measured, verdicts } from './targets.ts';

export const headings = [
  'agent',
  'action',
  'state',
  'wall ms',
  'native / stock',
  'CPU ms',
  'native / stock',
  'script / node',
  'peak MiB',
  'commands',
  'processes',
  'targets',
] as const;

/** A row of the table. Three figures in a cell are those of the contestants, in their order. */
export function cells(row: Measured): readonly string[] {
  const { agent, action, state, figures, footprint, bareNode } = row;
  const three = (text: (who: Contestant) => string) => contestants.map(text).join(' / ');
  const foot = (text: (of: Footprint) => string) => (footprint ? three((who) => text(footprint[who])) : '');
  return [
    agent,
    action,
    state,
    three((who) => figures[who].wall.toFixed(1)),
    figures.native.wallRatio.toFixed(2),
    three((who) => figures[who].cpu.toFixed(1)),
    figures.native.cpuRatio.toFixed(2),
    bareNode === undefined || action === 'meta-data' ? '' : (figures.script.cpu / bareNode).toFixed(2),
    foot(({ peakKib }) => (peakKib / 1024).toFixed(0)),
    foot(({ commands }) => String(commands)),
    foot(({ processes }) => String(processes)),
    verdicts(row)
      .map(({ met }) => (met ? '✓' : '✗'))
      .join(''),
  ];
}

export const markdown = (rows: readonly Measured[]): string => table(headings, 3, rows.map(cells));

/** Markdown; the first columns are words, the others numbers. */
export const table = (head: readonly string[], words: number, body: readonly (readonly string[])[]): string =>
  [head, head.map((_, n) => (n < words ? '---' : '--:')), ...body]
    .map((line) => `| ${line.join(' | ')} |\n`)
    .join('');

export function piecesTable(pieces: readonly Piece[]): string {
  if (pieces.length === 0) return '';
  const ms = (value: number | undefined) => value?.toFixed(1) ?? '';
  const body = pieces.map(({ what, native, script }) => [what, ms(native), ms(script)]);
  return table(['a program that does just this, CPU ms', 'compiled', 'by Node'], 1, body);
}

export function loadsTable(loads: readonly Load[]): string {
  if (loads.length === 0) return '';
  const body = loads.map(({ resources, what, minute }) => [
    what,
    String(resources),
    ...contestants.map((who) => minute[who].toFixed(2)),
    (minute.native / minute.stock).toFixed(2),
    ((minute.native / resources / 6) * 1000).toFixed(1),
  ]);
  const seconds = contestants.map((who) => `${who}, CPU s a minute`);
  return table(
    ['on the node', 'resources', ...seconds, 'native / stock', 'native, CPU ms a monitor'],
    1,
    body,
  );
}

/** Every promise, row by row. */
export const verdictLines = (rows: readonly Measured[]): readonly string[] =>
  rows.flatMap((row) => {
    const name = [row.agent, row.action, row.state].filter(Boolean).join(', ');
    return verdicts(row).map(
      ({ what, is, limit, met }) =>
        `${met ? '✓' : '✗'} ${name}: ${what} is ${is.toFixed(2)}, at most ${limit}`,
    );
  });
