import { describe, expect, test } from 'vitest';
import { holdings, overlaps, parseSample, type Sample, widestGap } from '../../lab/workload/watch.ts';

const samples = (...held: [time: number, primary: boolean][]): Sample[] =>
  held.map(([time, primary]) => ({ time, holds: primary ? ['primary'] : [] }));

test.each([
  ['12.5 1 0 1', { time: 12.5, holds: ['primary', 'address'] }],
  ['12.5 0 0 0', { time: 12.5, holds: [] }],
  ['12.5 1', undefined],
  ['Traceback (most recent call last):', undefined],
  ['', undefined],
])('sample %j', (line, expected) => {
  expect(parseSample(line)).toEqual(expected);
});

describe('what a node certainly had', () => {
  test.each([
    { name: 'never', given: samples([1, false], [1.1, false]), intervals: [] },
    {
      name: 'from the first sample to the last that says so',
      given: samples([1, false], [1.1, true], [1.2, true], [1.3, false]),
      intervals: [{ from: 1.1, to: 1.2 }],
    },
    {
      name: 'twice',
      given: samples([1, true], [1.1, false], [1.2, true], [1.3, true]),
      intervals: [
        { from: 1, to: 1 },
        { from: 1.2, to: 1.3 },
      ],
    },
    {
      name: 'nothing is certain across a long gap',
      given: samples([1, true], [1.1, true], [9, true], [9.1, true]),
      intervals: [
        { from: 1, to: 1.1 },
        { from: 9, to: 9.1 },
      ],
    },
  ])('$name', ({ given, intervals }) => {
    expect(holdings(given, 'primary')).toEqual(intervals);
  });
});

test.each([
  { name: 'one after the other', a: [1, 2], b: [2, 3], both: [] },
  { name: 'a while together', a: [1, 3], b: [2, 4], both: [{ from: 2, to: 3 }] },
  { name: 'one within the other', a: [1, 9], b: [2, 3], both: [{ from: 2, to: 3 }] },
  { name: 'far apart', a: [1, 2], b: [8, 9], both: [] },
])('overlap: $name', ({ a: [a1 = 0, a2 = 0], b: [b1 = 0, b2 = 0], both }) => {
  expect(overlaps([{ from: a1, to: a2 }], [{ from: b1, to: b2 }])).toEqual(both);
});

test('the widest gap between samples', () => {
  expect(widestGap(samples([1, true], [1.1, true], [3.1, true], [3.2, false]))).toBeCloseTo(2);
  expect(widestGap([])).toBe(0);
});
