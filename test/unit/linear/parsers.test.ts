import { expect, test } from 'vitest';
import { isSuperLinear } from './growth.ts';
import { manyLines, parsers, spliced, splices } from './parsers.ts';

// S15, S16: what takes its time in more than one step, and on ordinary texts too. Lines by the thousand, and an ordinary line with
// something in it that does not end.

/** Loops within loops show behind the reading only when there is much to compare. */
const lines = [2000];

test.each(parsers.filter(({ line }) => line !== undefined))(
  'S15: $what: eight times as many lines take eight times as long',
  (parser) => {
    expect(isSuperLinear(parser.work, (count) => manyLines(parser, count), lines)).toBe(false);
    const same = { ...parser, line: () => parser.line?.(1) ?? '' };
    expect(isSuperLinear(parser.work, (count) => manyLines(same, count), lines)).toBe(false);
  },
);

test.each(parsers)('S16: $what: something that goes on and on takes as long as it is', (parser) => {
  const slow = [...splices(parser)].find((splice) =>
    isSuperLinear(parser.work, (size) => spliced(splice, size)),
  );
  expect(slow).toBeUndefined();
});
