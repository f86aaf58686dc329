import Table from 'cli-table3';
import { protocols } from '../workload/workload.ts';
import type { Check, Figures } from './checks.ts';

const seconds = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(1)} s`);
const count = (value: number | undefined): string => (value === undefined ? '' : String(value));

/** cli-table3 colours heads and borders unless told not to. */
const plain = { style: { head: [], border: [] } };

export function figuresTable(figures: Figures[]): string {
  const table = new Table({
    ...plain,
    head: [
      'what happened',
      'outcome',
      'service back',
      ...protocols.map((protocol) => `${protocol} stall`),
      ...protocols.map((protocol) => `new lock, ${protocol}`),
      'client errors',
      'acknowledged',
      'found',
      'lost',
    ],
  });
  for (const {
    scenario,
    outcome,
    movedAfter,
    stalls,
    lockStalls,
    errors,
    acknowledged,
    found,
    lost,
  } of figures)
    table.push([
      scenario,
      outcome,
      seconds(movedAfter),
      ...protocols.map((_, index) => seconds(stalls?.[index])),
      ...protocols.map((_, index) => seconds(lockStalls?.[index])),
      ...[errors, acknowledged, found, lost].map(count),
    ]);
  return table.toString();
}

/** The library's time grows with the square of a cell and more: a page of `tsha check` takes it a minute. */
const longestCell = 200;

function cell(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= longestCell ? line : `${line.slice(0, longestCell)}…`;
}

/** In short; what was found by a check that failed is there in full, below the table. */
export function checksTable(checks: Check[]): string {
  const table = new Table({
    ...plain,
    head: ['', 'scenario', 'check', 'found'],
    colWidths: [4, 12, 56, 56],
    wordWrap: true,
  });
  for (const { scenario, name, passed, detail } of checks)
    table.push([passed ? '✔' : '✘', scenario, cell(name), cell(detail)]);
  const failed = checks.filter(({ passed, detail }) => !passed && detail.trim().length > longestCell);
  return [table.toString(), ...failed.map(({ name, detail }) => `\n✘ ${name}\n${detail.trimEnd()}`)].join(
    '\n',
  );
}
