import { expect, test } from 'vitest';
import { manyLines, type Parser, parsers } from '../../parsers.ts';
import { isSuperLinear } from './growth.ts';
import { spliced, splices } from './texts.ts';

// S15, S16: what takes its time in more than one step, and on ordinary texts too. Lines by the thousand, and an ordinary line with
// something in it that does not end.

/** What is refused took its time, too. */
const quietly =
  ({ work }: Parser) =>
  (text: string): void => {
    try {
      work(text);
    } catch {
      // how it is refused: test/fuzz/parsers.ts
    }
  };

const ofOthers = parsers.filter(({ isOwn }) => !isOwn);

/** Loops within loops show behind the reading only when there is much to compare. */
const lines = [2000];

test.each(ofOthers.filter(({ line }) => line !== undefined))(
  'S15: $what: eight times as many lines take eight times as long',
  (parser) => {
    expect(isSuperLinear(quietly(parser), (count) => manyLines(parser, count), lines)).toBe(false);
    const same = { ...parser, line: () => parser.line?.(1) ?? '' };
    expect(isSuperLinear(quietly(parser), (count) => manyLines(same, count), lines)).toBe(false);
  },
);

test.each(ofOthers)('S16: $what: something that goes on and on takes as long as it is', (parser) => {
  const slow = [...splices(parser)].find((splice) =>
    isSuperLinear(quietly(parser), (size) => spliced(splice, size)),
  );
  expect(slow).toBeUndefined();
});
