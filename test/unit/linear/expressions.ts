import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

// Every regular expression that is written in the source, and texts on which one that backtracks would take its time.

export type Expression = { readonly where: string; readonly literal: string; readonly expression: RegExp };

export function expressionsIn(root: string, folders: readonly string[]): readonly Expression[] {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, folder, name)),
  );
  return files.flatMap((file) => {
    const source = readFileSync(file, 'utf8');
    return [...literalsIn(source), ...composedIn(source)].map(({ line, literal }) => {
      const end = literal.lastIndexOf('/');
      return {
        where: `${relative(root, file)}:${line}`,
        literal,
        expression: new RegExp(literal.slice(1, end), literal.slice(end + 1)),
      };
    });
  });
}

type Literal = { readonly line: number; readonly literal: string };

/** Those that are put together, with a name for what is not known before. */
const composedIn = (source: string): readonly Literal[] =>
  [...source.matchAll(/new RegExp\(\s*`((?:[^`\\]|\\.)*)`(?:,\s*'(\w+)')?,?\s*\)/g)].map((match) => {
    const [, text = '', flags = ''] = match;
    const pattern = text
      .replace(/\$\{[^}]*\}/g, 'name')
      .replaceAll('\\\\', '\\')
      .replaceAll('/', '\\/');
    return { line: lineOf(source, match.index), literal: `/${pattern}/${flags}` };
  });

const lineOf = (source: string, at: number): number => source.slice(0, at).split('\n').length;

/** A slash begins an expression where no value stands before it. */
const beforeExpression = /(?:^|[([{,;=:?!&|+\-*%<>~^}]|\b(?:return|typeof|case|in|of|yield|await|new|void))$/;

export function literalsIn(source: string): readonly Literal[] {
  const found: Literal[] = [];
  /** Of each template that is open, how deep its `${` is in braces. */
  const templates: number[] = [];
  let braces = 0;
  let before = '';
  let at = 0;
  const skipTo = (end: number) => {
    before = source[end - 1] ?? '';
    at = end;
  };
  const template = () => {
    while (at < source.length) {
      if (source[at] === '\\') at += 2;
      else if (source[at] === '`') return skipTo(at + 1);
      else if (source.startsWith('${', at)) {
        templates.push(braces);
        braces++;
        return skipTo(at + 2);
      } else at++;
    }
  };
  while (at < source.length) {
    const char = source[at] ?? '';
    if (source.startsWith('//', at)) at = endOf(source, '\n', at);
    else if (source.startsWith('/*', at)) at = endOf(source, '*/', at) + 2;
    else if (char === '"' || char === "'") skipTo(endOfQuoted(source, char, at + 1));
    else if (char === '`') {
      at++;
      template();
    } else if (char === '}' && templates.at(-1) === braces - 1) {
      templates.pop();
      braces--;
      at++;
      template();
    } else if (char === '/' && beforeExpression.test(before)) {
      const end = endOfExpression(source, at + 1);
      found.push({ line: lineOf(source, at), literal: source.slice(at, end) });
      skipTo(end);
    } else {
      if (char === '{') braces++;
      if (char === '}') braces--;
      if (/\S/.test(char)) before = /\w/.test(char) ? (before + char).slice(-12) : char;
      else if (/\w$/.test(before)) before = `${before}`.slice(-12);
      at++;
    }
  }
  return found;
}

function endOf(source: string, what: string, from: number): number {
  const end = source.indexOf(what, from);
  return end < 0 ? source.length : end;
}

function endOfQuoted(source: string, quote: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== quote) at += source[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfExpression(source: string, from: number): number {
  let [at, inClass] = [from, false];
  while (at < source.length && (inClass || source[at] !== '/')) {
    if (source[at] === '[') inClass = true;
    if (source[at] === ']') inClass = false;
    at += source[at] === '\\' ? 2 : 1;
  }
  at++;
  while (/[a-z]/.test(source[at] ?? '')) at++;
  return at;
}

// Attacks: what stands before a repetition, then something that it may take, again and again, then something that fits nowhere.

/** A piece of an expression: a text that it matches, and whether it may repeat without end. */
type Piece = { readonly sample: string; readonly repeats: boolean; readonly inner: readonly Piece[] };

const characters = [...' \ta0Z_/:.-"\'\\,=[](){}%#\n;@+|<>&?!*$é'];

/** A character that a class or an escape takes, as long as possible one that is not a letter. */
function taken(atom: string, flags: string): string {
  const one = new RegExp(`^(?:${atom})$`, flags.replace(/[gy]/g, ''));
  return characters.find((char) => one.test(char)) ?? String.fromCodePoint(0xdc80);
}

/** The pieces of an expression, one alternative after the other. */
function piecesOf(source: string, flags: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < source.length) {
    const { atom, sample, inner } = atomAt(source, at, flags);
    at += atom.length;
    const [quantifier = ''] = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(source.slice(at)) ?? [];
    at += quantifier.length;
    const least = /^\{(\d+)/.exec(quantifier)?.[1];
    const times = least === undefined ? 1 : Number(least);
    pieces.push({
      sample: sample.repeat(times),
      repeats: /^[*+]|^\{\d+,\}/.test(quantifier),
      inner,
    });
  }
  return pieces;
}

function atomAt(
  source: string,
  at: number,
  flags: string,
): { atom: string; sample: string; inner: readonly Piece[] } {
  const rest = source.slice(at);
  const char = rest[0] ?? '';
  const plain = (atom: string, sample: string) => ({ atom, sample, inner: [] });
  if (char === '(') {
    const group = rest.slice(0, endOfGroup(rest));
    const [opening = '('] = /^\((?:\?(?:[:=!]|<[=!]|<\w+>))?/.exec(group) ?? [];
    const isLook = /^\(\?<?[=!]/.test(opening);
    const inner = piecesOf(group.slice(opening.length, -1), flags);
    const first = piecesOf(firstAlternative(group.slice(opening.length, -1)), flags);
    return { atom: group, sample: isLook ? '' : first.map(({ sample }) => sample).join(''), inner };
  }
  if (char === '[') {
    let end = 1;
    while (rest[end] !== ']') end += rest[end] === '\\' ? 2 : 1;
    const atom = rest.slice(0, end + 1);
    return plain(atom, taken(atom, flags));
  }
  if (char === '\\') {
    const [atom = ''] = /^\\(?:[pP]\{[^}]*\}|u[\da-f]{4}|x[\da-f]{2}|.)/i.exec(rest) ?? [];
    return plain(atom, /^\\[bB]/.test(atom) ? '' : taken(atom, flags));
  }
  if ('^$|'.includes(char)) return plain(char, '');
  return plain(char, char === '.' ? 'a' : char);
}

function endOfGroup(text: string): number {
  let depth = 0;
  for (let at = 0; ; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '[') while (text[at] !== ']') at += text[at] === '\\' ? 2 : 1;
    else if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return at + 1;
  }
}

function firstAlternative(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '[') while (text[at] !== ']') at += text[at] === '\\' ? 2 : 1;
    else if (text[at] === '(') at += endOfGroup(text.slice(at)) - 1;
    else if (text[at] === '|') return text.slice(0, at);
  }
  return text;
}

export type Attack = { readonly head: string; readonly pump: string; readonly tail: string };

export function* attacksOn({ source, flags }: RegExp): Generator<Attack> {
  const heads = new Set(['']);
  const samples = new Set<string>();
  const collect = (pieces: readonly Piece[], before: string) => {
    let head = before;
    for (const { sample, repeats, inner } of pieces) {
      if (repeats) heads.add(head);
      collect(inner, head);
      head += sample;
    }
    samples.add(head);
  };
  collect(piecesOf(source, flags), '');
  const own = new Set([...source].filter((char) => !/[\w^$|?*+\\]/.test(char)));
  const pumps = new Set([' ', 'a', '0', '/', ':', '"', '\\', '\n', '\n ', ' \n', 'a ', '\\000', ...own]);
  for (const one of own) for (const other of own) pumps.add(one + other);
  for (const sample of samples)
    for (let from = 0; from < Math.min(sample.length, 12); from++)
      for (let length = 1; length <= 4; length++) pumps.add(sample.slice(from, from + length));
  for (const one of [...heads, ...samples]) for (const pump of [one, `\n${one}`, `${one}\n`]) pumps.add(pump);
  pumps.delete('');
  const ends = [...own].filter((char) => !/\s/.test(char)).flatMap((char) => [char, `${char}\u0001`]);
  const tails = ['', '\u0001', '\n\u0001', ' \u0001x', 'a', ...ends];
  for (const head of heads) for (const pump of pumps) for (const tail of tails) yield { head, pump, tail };
}

export const textOf = ({ head, pump, tail }: Attack, size: number): string =>
  head + pump.repeat(Math.ceil(size / pump.length)) + tail;
