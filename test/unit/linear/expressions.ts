import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

// Every regular expression that is written in the source.

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
