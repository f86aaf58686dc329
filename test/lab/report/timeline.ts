import Table from 'cli-table3';
import type { NodeName } from '../settings.ts';

/** One action of one resource on one node; seconds since 1970. */
export interface Action {
  node: NodeName;
  action: string;
  resource: string;
  from: number;
  to: number;
}

/** What Pacemaker did between two moments. */
export interface Timeline {
  since: number;
  until: number;
  actions: Action[];
}

export const logFile = '/var/log/pacemaker/pacemaker.log';
/** The lines of it that say when an action begins and ends. */
export const logPattern = '(Requesting local execution|Result) of .* operation for';

const line =
  /^(\w{3} \d\d \d\d:\d\d:\d\d\.\d+) \S+ .*(?:(Requesting local execution)|Result) of (\S+) operation for (\S+) on/;

/** The machines' clocks are UTC, their log does not tell the year. */
export function parseActions(node: NodeName, text: string, year: number): Action[] {
  const begun = new Map<string, number>();
  const actions: Action[] = [];
  for (const each of text.split('\n')) {
    const [, when = '', begins, action = '', resource = ''] = line.exec(each) ?? [];
    if (when === '') continue;
    const time = Date.parse(`${when.replace(/^(\w+ \d+)/, `$1 ${year}`)} UTC`) / 1000;
    const key = `${action} ${resource}`;
    const from = begun.get(key);
    if (begins) begun.set(key, time);
    else if (from !== undefined && begun.delete(key))
      actions.push({ node, action, resource, from, to: time });
  }
  return actions;
}

const width = 48;

/** Actions that ran in that time, in the order of their beginning. */
export const actionsWithin = ({ actions, since, until }: Timeline): Action[] =>
  actions.filter(({ from, to }) => from < until && to > since).sort((a, b) => a.from - b.from);

/** The actions and when each ran; the first moment is 0. */
export function timelineTable(timeline: Timeline): string {
  const { since, until } = timeline;
  const table = new Table({
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' },
      ...{ 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' },
      ...{ right: '', 'right-mid': '', middle: ' ' },
    },
    head: ['at', 'node', 'action', 'took', ''],
    colAligns: ['right', 'left', 'left', 'right', 'left'],
  });
  const column = (time: number): number => Math.round(((time - since) / (until - since)) * width);
  for (const { node, action, resource, from, to } of actionsWithin(timeline)) {
    const bar = Math.max(1, column(Math.min(to, until)) - column(Math.max(from, since)));
    table.push([
      `${(from - since).toFixed(1)} s`,
      node,
      `${action} ${resource}`,
      `${(to - from).toFixed(2)} s`,
      ' '.repeat(Math.max(0, column(from))) + '█'.repeat(bar),
    ]);
  }
  return table.toString();
}
