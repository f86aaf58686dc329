import { expect, test } from 'vitest';
import { believedFrom, parseBelief } from '../../lab/workload/neighbour.ts';

test.each([
  ['12.500 02:00:00:00:00:11', { time: 12.5, mac: '02:00:00:00:00:11' }],
  ['12.500 -', { time: 12.5, mac: '-' }],
  ['12.500', undefined],
  ['Traceback (most recent call last):', undefined],
])('line %j', (line, expected) => {
  expect(parseBelief(line)).toEqual(expected);
});

const beliefs = [
  { time: 1, mac: 'b' },
  { time: 2, mac: 'a' },
  { time: 3, mac: '-' },
  { time: 4, mac: 'b' },
];
test.each([
  ['at once', ['a'], 2, 2],
  ['later', ['b', 'c'], 2, 4],
  ['before, and not since', ['a'], 3, undefined],
  ['never', ['c'], 0, undefined],
])('believed %s', (_name, macs, since, expected) => {
  expect(believedFrom(beliefs, macs, since)).toBe(expected);
});
