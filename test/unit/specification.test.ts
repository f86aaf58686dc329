import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectFolder } from '../../packaging/products.ts';
import { casesIn, specification, specifiedAgents, specifiedCases } from '../specification.ts';

// What tests and pages cite can be looked up in docs/specification, and what stands there is cited.

const read = (file: string): string => readFileSync(join(projectFolder, file), 'utf8');
const below = (folder: string, extension: string): string[] =>
  readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => join(folder, file));
const tests = below('test', '.ts').filter((file) => !/unit\/(cases|specification)\.test/.test(file));
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...['docs', 'lib', 'test', 'metadata'].flatMap((folder) => below(folder, '.md')),
];

describe('the index', () => {
  test.each([...specifiedAgents, 'ocf-contract'])('%s: cases are numbered without a gap', (page) => {
    const numbers = specification.filter((row) => row.page === page && /^\d+$/.test(row.id));
    expect(numbers.map(({ id }) => Number(id))).toEqual(numbers.map((_, index) => index + 1));
  });

  test('no number stands twice on a page', () => {
    const keys = specification.map(({ page, id }) => `${page} ${id}`);
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });

  test('every row has a situation and an answer', () => {
    expect(specification.filter(({ situation, answer }) => situation === '' || answer === '')).toEqual([]);
  });

  test('every row of its pages is one that is understood', () => {
    const rows = below('docs/specification', '.md').flatMap((file) => read(file).split('\n'));
    const inTables = rows.filter((line) => /^\| (\d|[A-Z]\d)/.test(line));
    expect(inTables).toHaveLength(specification.length);
  });
});

describe('cases that are cited exist', () => {
  test.each([...tests, ...pages].filter((file) => casesIn(read(file)).length > 0))('%s', (file) => {
    const cited = casesIn(read(file));
    expect(cited.filter(([agent, number]) => !specifiedCases(agent).includes(number))).toEqual([]);
  });
});

// Tags with a letter count within an agent's page, and the three of NFS number some of theirs together.
const nfs = ['nfsserver', 'exportfs', 'nfsnotify'];

function pagesFor(file: string): readonly string[] {
  const agent = specifiedAgents.find((name) => file.split(/[/.]/).includes(name));
  if (agent) return nfs.includes(agent) ? nfs : [agent];
  return [...specifiedAgents, 'tsha'];
}

const isTag = ({ id }: { readonly id: string }) => /^[A-Z]/.test(id);
/** Each is one of a kind that was mended in every agent, and its tests may be anywhere. */
const foundByTrying = 'Found by trying';
const tagsOn = (names: readonly string[]) =>
  specification
    .filter((row) => isTag(row) && (names.includes(row.page) || row.heading === foundByTrying))
    .map(({ id }) => id);

/** Tags at the beginning of a title: `D7: …`, `Filesystem#57, D7: …`, `N1 … `, `B1 drbd#62 …`. */
const title = /['"`](?:what: )?((?:(?:\w+#[\d,-]+|\d+|[A-Z]\d{1,2}),? ?)+)(?=[: ]|['"`$])/g;
const tagsIn = (text: string): string[] =>
  [...text.matchAll(title)].flatMap(([, head = '']) => head.match(/\b[A-Z]\d{1,2}\b/g) ?? []);

describe('tags that are cited exist', () => {
  test.each(tests.filter((file) => tagsIn(read(file)).length > 0))('%s', (file) => {
    const known = tagsOn(pagesFor(file));
    expect(tagsIn(read(file)).filter((tag) => !known.includes(tag))).toEqual([]);
  });
});

test('what stands in the index is cited by a test', () => {
  const text = new Map(tests.map((file) => [file, read(file)]));
  const cited = ({ heading, page, id }: (typeof specification)[number]): boolean =>
    tests.some(
      (file) =>
        (heading === foundByTrying || pagesFor(file).includes(page)) &&
        new RegExp(`\\b${id}\\b`).test(text.get(file) ?? ''),
    );
  const forgotten = specification
    .filter(isTag)
    .filter((row) => !cited(row))
    .map(({ page, id }) => `${page} ${id}`);
  expect(forgotten).toEqual([]);
});
