import { describe, expect, test } from 'vitest';
import { CaseCount } from '../cases.ts';
import { casesIn } from '../specification.ts';

describe('the cases a title speaks of', () => {
  test.each([
    ['drbd#17: no such resource', [['drbd', 17]]],
    ['start > Filesystem#57,60-62 D7: bind', [57, 60, 61, 62].map((n) => ['Filesystem', n])],
    [
      'exportfs#1 and nfsserver#2',
      [
        ['exportfs', 1],
        ['nfsserver', 2],
      ],
    ],
    ['issue #17 of xdrbd#1', []],
  ])('%s', (title, cases) => {
    expect(casesIn(title)).toEqual(cases);
  });
});

test('what no tier has shown is missing, in ranges', () => {
  const count = new CaseCount();
  count.add('types', []);
  expect(count.isAnyShown).toBe(false);
  count.add('unit', ['nfsnotify#1-38']);
  count.add('host', ['nfsnotify#40']);
  expect(count.missing('nfsnotify')).toEqual([39]);
  expect(count.table()).toMatch(/nfsnotify\W+40\W+38\W+1\W+39/);
});
