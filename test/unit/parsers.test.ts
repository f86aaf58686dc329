import { expect, test } from 'vitest';
import { tryTexts } from '../fuzz/parsers.ts';
import { parsers } from '../parsers.ts';

// A short run; `./build.sh fuzz --parsers --runs 1000000` is the long one.

test.each(parsers)('$what: what is changed at random is refused in a sentence, or read', (parser) => {
  expect(tryTexts(parser, 20261130, 500)).toBeUndefined();
});
