import { describe, expect, test } from 'vitest';
import {
  holdings,
  type Life,
  longestUnwatched,
  overlaps,
  parseSample,
  type Sample,
} from '../../lab/workload/watch.ts';

/** Each took a hundredth of a second. */
const samples = (...held: [from: number, primary: boolean][]): Sample[] =>
  held.map(([from, primary]) => ({ from, to: from + 0.01, holds: primary ? ['primary'] : [] }));
/** Every second, or as often as is said. */
const always = (from: number, to: number, every = 1): Sample[] =>
  samples(
    ...Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, index): [number, boolean] => [
      from + index * every,
      true,
    ]),
  );

test.each([
  ['12.5 12.6 1 0 1', { from: 12.5, to: 12.6, holds: ['primary', 'address'] }],
  ['12.5 12.6 0 0 0', { from: 12.5, to: 12.6, holds: [] }],
  ['12.5 1', undefined],
  ['12.5 x 0 0 0', undefined],
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
      intervals: [[1.11, 1.2]],
    },
    {
      name: 'twice',
      given: samples([1, true], [1.1, true], [1.2, false], [1.3, true], [1.4, true]),
      intervals: [
        [1.01, 1.1],
        [1.31, 1.4],
      ],
    },
    {
      name: 'nothing is certain across a long gap',
      given: samples([1, true], [1.1, true], [9, true], [9.1, true]),
      intervals: [
        [1.01, 1.1],
        [9.01, 9.1],
      ],
    },
  ])('$name', ({ given, intervals }) => {
    expect(holdings(given, 'primary').map(({ from, to }) => [from, to])).toEqual(intervals);
  });
});

test.each([
  { name: 'one after the other', a: always(1, 20), b: always(20.02, 40), both: false },
  {
    name: 'one after the other, and a sample that took long',
    a: always(1, 5),
    both: false,
    b: [{ from: 4, to: 6, holds: ['primary' as const] }, ...always(6, 9)],
  },
  { name: 'a while together', a: always(1, 30), b: always(20.5, 40), both: true },
  { name: 'one within the other', a: always(1, 9), b: always(2.5, 3.5), both: true },
  { name: 'seen once, within what the other had', a: always(1, 9), b: always(2.5, 2.5), both: true },
  {
    name: 'all the time, and samples 1.1 s apart',
    a: always(1, 100, 1.1),
    b: always(1.5, 100, 1.1),
    both: true,
  },
  { name: 'all the time, and samples 4 s apart', a: always(1, 100, 4), b: always(2, 100, 4), both: true },
  { name: 'far apart', a: always(1, 2), b: always(8, 9), both: false },
  {
    name: 'the other within a gap in which nobody looked',
    a: [...always(1, 2), ...always(20, 21)],
    b: always(9, 12),
    both: false,
  },
])('both had it: $name', ({ a, b, both }) => {
  expect(overlaps(holdings(a, 'primary'), holdings(b, 'primary')).length > 0).toBe(both);
});

const life = (from: number, to: number | undefined, samples: Sample[]): Life => ({
  from,
  ...(to === undefined ? {} : { to }),
  samples,
});

test.each([
  { what: 'all the time', lives: [life(0, undefined, always(0, 100))], longest: 1 },
  { what: 'never', lives: [life(0, undefined, [])], longest: 100 },
  { what: 'not at the beginning', lives: [life(0, undefined, always(30, 100))], longest: 30 },
  { what: 'not any more', lives: [life(0, undefined, always(0, 60))], longest: 40 },
  {
    what: 'not in between',
    lives: [life(0, undefined, [...always(0, 20), ...always(70, 100)])],
    longest: 50,
  },
  {
    what: 'not while it was off',
    lives: [life(0, 20, always(0, 20)), life(70, undefined, always(70, 100))],
    longest: 1,
  },
  { what: 'not while it shut down', lives: [life(0, 20, always(0, 5))], longest: 1 },
  { what: 'not long before it went down', lives: [life(0, 90, always(0, 5))], longest: 55 },
  { what: 'never, and it went down', lives: [life(0, 90, [])], longest: 90 },
])('how long nobody looked: $what', ({ lives, longest }) => {
  expect(longestUnwatched(lives, 0, 100)).toBeCloseTo(longest, 0);
});

test('how long nobody looked since a moment', () => {
  const lives = [life(0, undefined, always(50, 100))];
  expect(longestUnwatched(lives, 40, 100)).toBeCloseTo(10, 0);
  expect(longestUnwatched(lives, 60, 100)).toBeCloseTo(1, 0);
});
