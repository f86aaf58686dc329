import { expect, test } from 'vitest';
import { compareRecords, longestStall, ofOutcome, parseJournal } from '../../lab/workload/journal.ts';

const journal = parseJournal(`ok 1 100.000 100.010 
ok 2 100.110 117.110 
error 3 117.210 117.250 [Errno 13] Permission denied
ok 4 117.350 117.360 
ok 5 117.4`);

test('a journal has one attempt a line; one that is still being written does not count', () => {
  expect(journal.map(({ outcome, number }) => [outcome, number])).toEqual([
    ['ok', 1],
    ['ok', 2],
    ['error', 3],
    ['ok', 4],
  ]);
  expect(ofOutcome(journal, 'error')[0]?.message).toBe('[Errno 13] Permission denied');
});

test.each([
  ['from the beginning', 0, 17],
  ['while the attempt was under way', 110, 17],
  ['after it', 117.2, 0.04],
  ['later than anything', 200, 0],
])('longest stall, %s', (_, since, expected) => {
  expect(longestStall(journal, since)).toBeCloseTo(expected);
});

test.each([
  { name: 'all there', acknowledged: [1, 2, 3], file: '1\n2\n3\n', lost: [], repeated: [] },
  { name: 'one more than acknowledged', acknowledged: [1, 2], file: '1\n2\n3\n', lost: [], repeated: [] },
  { name: 'one lost', acknowledged: [1, 2, 3], file: '1\n3\n', lost: [2], repeated: [] },
  { name: 'one twice', acknowledged: [1, 2], file: '1\n2\n2\n', lost: [], repeated: [2] },
  { name: 'torn', acknowledged: [1, 22], file: '1\n2', lost: [22], repeated: [] },
  { name: 'a hole', acknowledged: [1, 22], file: '1\n\0\0\0\x0022\n', lost: [], repeated: [] },
  { name: 'a hole in a record', acknowledged: [1, 22], file: '1\n2\0\n', lost: [22], repeated: [] },
  { name: 'nothing at all', acknowledged: [1], file: '', lost: [1], repeated: [] },
])('records: $name', ({ acknowledged, file, lost, repeated }) => {
  expect(compareRecords(acknowledged, file)).toEqual({
    acknowledged: acknowledged.length,
    found: acknowledged.length - lost.length,
    lost,
    repeated,
  });
});
