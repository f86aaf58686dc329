import { describe, expect, test } from 'vitest';
import { judgeAppends, judgeLock, judgeReplaced, judgeTurns } from '../../../lab/faults/checker.ts';
import { type Attempt, parseJournal } from '../../../lab/workload/journal.ts';

const journal = (...lines: string[]): Attempt[] => parseJournal(lines.map((line) => `${line} \n`).join(''));
const oks = (...numbers: number[]): Attempt[] =>
  journal(...numbers.map((number) => `ok ${number} ${number}.0 ${number}.5`));

test.each([
  { what: 'all there', file: '1\n2\n3\n', lost: [], repeated: [], disordered: [] },
  {
    what: 'one that nobody acknowledged as well',
    file: '1\n2\n3\n4\n',
    lost: [],
    repeated: [],
    disordered: [],
  },
  { what: 'one lost', file: '1\n3\n', lost: ['2'], repeated: [], disordered: [] },
  { what: 'one twice', file: '1\n2\n2\n3\n', lost: [], repeated: ['2'], disordered: [] },
  { what: 'another order', file: '1\n3\n2\n', lost: [], repeated: [], disordered: ['2 after 3'] },
  { what: 'an empty file', file: '', lost: ['1', '2', '3'], repeated: [], disordered: [] },
])('appended records: $what', ({ file, lost, repeated, disordered }) => {
  expect(judgeAppends(oks(1, 2, 3), file)).toEqual({ lost, repeated, disordered });
});

test.each([
  { what: 'the last one', file: '3\n'.repeat(3000), says: undefined },
  { what: 'one that was not acknowledged yet', file: '4\n'.repeat(3000), says: undefined },
  { what: 'an older one', file: '2\n'.repeat(3000), says: /the 2th, the 3th/ },
  { what: 'half of each', file: '2\n'.repeat(1500) + '3\n'.repeat(1500), says: /^torn/ },
  { what: 'a part', file: '3\n'.repeat(700), says: /^torn/ },
  { what: 'nothing', file: '', says: /^torn/ },
])('a replaced file: $what', ({ file, says }) => {
  const wrong = judgeReplaced(oks(1, 2, 3), file);
  if (says) expect(wrong).toMatch(says);
  else expect(wrong).toBeUndefined();
});

describe('turns under a lock', () => {
  const both = new Map([
    ['a', oks(1, 2)],
    ['b', oks(1)],
  ]);
  test('one after the other', () => {
    expect(judgeTurns(both, '1 a 1\n2 b 1\n3 a 2\n')).toEqual([]);
  });
  test('two at once count on from the same line', () => {
    expect(judgeTurns(both, '1 a 1\n2 b 1\n2 a 2\n')).toEqual(['a counted 2 where another had']);
  });
  test('or write over each other', () => {
    expect(judgeTurns(both, '1 a 1\n2 a 2\n')).toEqual(['b lost 1']);
  });
});

test.each([
  {
    what: 'refused',
    keeper: ['locked 1 1.0 1.1', 'ok 2 2.0 2.1'],
    rival: ['refused 1 1.5 1.6'],
    told: 0,
    silently: 0,
  },
  {
    ...{ what: 'stolen while its keeper goes on', told: 0, silently: 1 },
    ...{ keeper: ['ok 1 1.0 1.1', 'ok 2 2.0 2.1'], rival: ['stolen 1 1.5 1.6'] },
  },
  {
    ...{ what: 'stolen once the keeper was told', told: 1, silently: 0 },
    ...{ keeper: ['ok 1 1.0 1.1', 'lost 2 1.2 1.3', 'locked 3 2.0 2.1'], rival: ['stolen 1 1.5 1.6'] },
  },
  {
    ...{ what: 'told after it was stolen', told: 1, silently: 0 },
    ...{ keeper: ['ok 1 1.0 1.1', 'lost 2 1.8 1.9', 'locked 3 2.0 2.1'], rival: ['stolen 1 1.5 1.6'] },
  },
])('a kept lock: $what', ({ keeper, rival, told, silently }) => {
  expect(judgeLock(journal(...keeper), journal(...rival))).toEqual({ told, silently });
});
