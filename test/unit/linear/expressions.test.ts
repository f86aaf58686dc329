import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attacksOn, expressionsIn, literalsIn, textOf } from './expressions.ts';
import { isSuperLinear } from './growth.ts';

// S15, S16: whoever writes what an agent reads must not choose how long it thinks. No deadline helps: it is a timer of the very event
// loop that a regular expression keeps busy.

const root = join(import.meta.dirname, '../../..');

/** The first text on which an expression takes more than its share, for however many matches. */
function slowOn(expression: RegExp): string | undefined {
  const { source, flags } = expression;
  const everywhere = new RegExp(source, flags.includes('g') ? flags : `${flags}g`);
  const work = (text: string) => void text.replace(everywhere, '');
  for (const attack of attacksOn(expression))
    if (isSuperLinear(work, (size) => textOf(attack, size))) return JSON.stringify(attack);
  return undefined;
}

test.each(
  expressionsIn(root, ['lib', 'agents', 'cli']).map(
    ({ where, literal, expression }) => [where, literal, expression] as const,
  ),
)(
  '%s: %s takes eight times as long for a text that is eight times as long',
  (_where, _literal, expression) => {
    expect(slowOn(expression)).toBeUndefined();
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
  expect(slowOn(expression)).toBeDefined();
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
