import fc from 'fast-check';
import { CommandError } from '../../cli/exit.ts';
import { Failure } from '../../lib/contract/outcome.ts';
import { RefusedError } from '../../lib/host/sys/directory.ts';
import { manyLines, type Parser, pumps } from '../parsers.ts';

// What the kernel, a tool, a file or a parameter says, as it usually is and then changed at random: a reader may refuse it in a
// sentence, and must not fall over it.

/** Where in the text, as a share of it; what is done there. */
type Change = readonly [
  at: number,
  how: 'insert' | 'delete' | 'repeat' | 'cut' | 'word',
  what: string,
  size: number,
];

const odd = [
  ...['__proto__', 'constructor', 'toString', 'null', 'true', '{}', '[]', '""', '1e999', '-1', '0x', 'NaN'],
  ...['9'.repeat(30), '4294967296', '\r\n', '\u2028', '\ud800', 'ü', '名'],
];

const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom('insert', 'delete', 'repeat', 'cut', 'word'),
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...pumps, ...odd) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
    ),
    fc.integer({ min: 1, max: 30 }),
  ),
  { maxLength: 6 },
);

function changed(text: string, [share, how, what, size]: Change): string {
  const at = Math.floor(share * text.length);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (how) {
    case 'insert':
      return before + what + after;
    case 'delete':
      return before + after.slice(size);
    case 'repeat':
      return before + after.slice(0, size).repeat(3) + after;
    case 'cut':
      return before;
    case 'word':
      return before + after.replace(/"[^"]*"|[\w.]+/, () => what);
  }
}

/** Texts for one parser: none to four of its lines, or its sample, and what became of them. */
const textsFor = (parser: Parser): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min: 0, max: 4 }), changes)
    .map(([count, all]) => all.reduce(changed, parser.sample ?? manyLines(parser, count)));

const ownNames = Object.getOwnPropertyNames(Object.prototype).length;

/** What is wrong with how it took the text; `undefined` where nothing is. */
function faultOf({ work }: Parser, text: string): string | undefined {
  try {
    work(text);
  } catch (error) {
    if (!isSentence(error)) return error instanceof Error ? error.stack : String(error);
  }
  // once changed it stays so for all that come after
  return Object.getOwnPropertyNames(Object.prototype).length === ownNames
    ? undefined
    : 'it changed every object of the program';
}

/** Meant for a person; a `TypeError` is the engine's, and says nothing of what was read. */
const isSentence = (error: unknown): boolean =>
  error instanceof Failure ||
  error instanceof RefusedError ||
  error instanceof CommandError ||
  (error instanceof Error && error.constructor === Error);

/** So many texts for one parser: the shortest that it falls over, with the seed that finds it again; `undefined` where there is none. */
export function tryTexts(parser: Parser, seed: number, numRuns: number): string | undefined {
  const told = fc.check(
    fc.property(textsFor(parser), (text) => {
      const fault = faultOf(parser, text);
      if (fault !== undefined) throw new Error(fault);
    }),
    { seed, numRuns },
  );
  if (!told.failed) return undefined;
  const why = told.errorInstance instanceof Error ? told.errorInstance.message : String(told.errorInstance);
  return `${parser.what}, seed ${seed}: ${JSON.stringify(told.counterexample?.[0])}: ${why}`;
}
