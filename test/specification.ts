import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../packaging/products.ts';

export const specifiedAgents = [
  'drbd',
  'Filesystem',
  'IPaddr2',
  'nfsserver',
  'exportfs',
  'nfsnotify',
] as const;
export type SpecifiedAgent = (typeof specifiedAgents)[number];

/** A row of docs/specification: its `#`, such as `17`, `48a` or `D15`, and the page and heading it stands under. */
export interface SpecifiedRow {
  /** An agent, `ocf-contract` or `tsha`. */
  readonly page: string;
  readonly heading: string;
  readonly id: string;
  readonly situation: string;
  readonly answer: string;
}

const specificationFolder = join(projectFolder, 'docs/specification');

//   | 17 | probe while every tool counts as missing | 7 |
//     (1)  (2)                                        (3)
const rowPattern = /^\| (\d+[a-z]?|[A-Z]\d+) \| (.*?) \| (.*?) \|$/;

function rowsOf(page: string): SpecifiedRow[] {
  let heading = '';
  return readFileSync(join(specificationFolder, `${page}.md`), 'utf8')
    .split('\n')
    .flatMap((line) => {
      heading = /^## (.*)/.exec(line)?.[1] ?? heading;
      const [, id, situation = '', answer = ''] = rowPattern.exec(line) ?? [];
      return id === undefined ? [] : [{ page, heading, id, situation, answer }];
    });
}

/** Every row of the index, page by page. */
export const specification: readonly SpecifiedRow[] = readdirSync(specificationFolder)
  .filter((file) => file.endsWith('.md') && file !== 'README.md')
  .flatMap((file) => rowsOf(file.slice(0, -'.md'.length)));

/** The numbers that titles of tests cite for this agent, in order. */
export const specifiedCases = (agent: SpecifiedAgent): number[] =>
  specification.filter(({ page, id }) => page === agent && /^\d+$/.test(id)).map(({ id }) => Number(id));

const cited = new RegExp(`\\b(${specifiedAgents.join('|')})#(\\d+(?:[-,]\\d+)*)`, 'g');

/** The cases that a test says it shows: `drbd#17`, `Filesystem#57,58,60` or `exportfs#12-15` anywhere in its title. */
export const casesIn = (title: string): [SpecifiedAgent, number][] =>
  [...title.matchAll(cited)].flatMap(([, agent, numbers = '']) =>
    numbers
      .split(',')
      .flatMap(range)
      .map((number): [SpecifiedAgent, number] => [agent as SpecifiedAgent, number]),
  );

function range(text: string): number[] {
  const [first = 0, last = first] = text.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
