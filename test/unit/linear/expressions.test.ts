import { join } from 'node:path';
import { checkSync } from 'recheck';
import { expect, test } from 'vitest';
import { expressionsIn, literalsIn } from './expressions.ts';

// S15, S16: whoever writes what an agent reads must not choose how long it thinks. No deadline helps: it is a timer of the very event
// loop that a regular expression keeps busy.

const root = join(import.meta.dirname, '../../..');

/** recheck compares its steps with its own figures, and none of these with a clock, unless it is told to. */
const noClock = { timeout: null, attackTimeout: null, incubationTimeout: null } as const;

/**
 * 'linear', or a text on which the expression takes more than its share. Where the automaton would have more states than this, recheck
 * takes seconds for it, and less for random texts.
 */
function growthOf({ source, flags }: RegExp): string {
  const found = checkSync(source, flags, { ...noClock, maxNFASize: 5000, randomSeed: 1 });
  if (found.status === 'safe') return 'linear';
  return found.status === 'vulnerable'
    ? `${found.complexity.summary}: ${found.attack.pattern}`
    : `unknown: ${found.error.kind}`;
}

/** Where each is written. */
const written = new Map<string, { readonly expression: RegExp; readonly places: string[] }>();
for (const { where, literal, expression } of expressionsIn(root, ['lib', 'agents', 'cli'])) {
  const known = written.get(literal);
  if (known) known.places.push(where);
  else written.set(literal, { expression, places: [where] });
}

test.each(
  [...written].map(([literal, { expression, places }]) => [literal, places.join(', '), expression] as const),
)(
  '%s takes eight times as long for a text that is eight times as long (%s)',
  (_literal, _where, expression) => {
    expect(growthOf(expression)).toBe('linear');
  },
);

// What this project had written before, and what books warn of: a campaign that finds nothing must be able to find something.
test.each([
  /^(.+?):(\/.*):0x([0-9a-f]+)$/i,
  /^\[\s*([^\]"]+?)\s*(?:"[^"]*"\s*)?\]$/,
  /^([^=]+?)\s*=\s*(.*)$/,
  /\s*\\\n\s*/g,
  /[^/]*$/,
  /(.)\/+$/,
  /^\s*#.*$/gm,
  /: in resource .*, on .*:$/,
  /hook input [^}]*?policy drop/,
  /<status [^>]*message="([^"]*)"/,
  /^0*([0-9a-f]+)-/,
  /\d+\.\d+\.\d+/,
  /^(a+)+$/,
  /^(\w+\s?)*$/,
  /\s+$/,
])('the campaign finds %s', (expression) => {
  expect(growthOf(expression)).toMatch(/polynomial|exponential/);
});

test('every expression of a source is found, and nothing else', () => {
  const source = [
    "const a = /x\\/y[/]z/gi.exec('no / regex / here'); // nor /here/",
    `const b = 4 / 2 / 1; const c = \`a \${d.replace(/"/g, \`\${/in/.source}\`)} /not/ this\`;`,
    'return /^\\s/.test(x) ? [/one/, /two/] : x.split(/,/); /* nor /that/ */',
    'const half = (width) / 2, other = list[0] / 2;',
  ].join('\n');
  expect(literalsIn(source).map(({ literal }) => literal)).toEqual([
    '/x\\/y[/]z/gi',
    '/"/g',
    '/in/',
    '/^\\s/',
    '/one/',
    '/two/',
    '/,/',
  ]);
});
