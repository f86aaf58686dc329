import { expect, test } from 'vitest';
import { checksTable } from '../../lab/report/tables.ts';

test('what was found is a line of the table; of a check that failed, all of it below', () => {
  const page = Array.from({ length: 100 }, (_, line) => `line ${line} of a page`).join('\n');
  const text = checksTable([
    { scenario: 'look', name: 'well', passed: true, detail: page },
    { scenario: 'look', name: 'not well', passed: false, detail: page },
    { scenario: 'look', name: 'short', passed: false, detail: 'not\nso' },
  ]);
  expect(text.split('✘ not well\n')[1]).toBe(page);
  expect(text.match(/line 99 of a page/g)).toHaveLength(1);
  expect(text).toMatch(/short.*│ not so +│/);
});
