import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import {
  type Alias,
  type Document,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { z } from 'zod';
import { CommandError } from '../exit.ts';
import { columnsOf, harmless, type Language } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { type Pair, pairOf } from './pair.ts';
import type { Problem } from './problem.ts';
import { acceptedTwice, problemsIn } from './rules.ts';
import { acceptedShape, type Configuration, configurationShape } from './shape.ts';
import { suggestion } from './suggestion.ts';
import { configurationWords, kindIn, type Says } from './words.ts';

export const configurationFile = '/etc/tsha/tsha.yaml';

/** The pair that a file describes, or standard input where it is `-`. Throws `CommandError('unknown')` that shows every error at its place. */
export function readPair(file: string, language: Language): Pair {
  return pairFrom(file, textOf(file, language), language);
}

/** The same of a text that was read already. */
export const pairFrom = (file: string, text: string, language: Language): Pair =>
  pairOf(readConfiguration(file, text, language));

const longest = 1024 * 1024;

/** The text of a file, or of standard input, which can be read once. */
export function textOf(file: string, language: Language): string {
  const words = configurationWords(language);
  const refuse = (says: Says, why = '') =>
    new CommandError('unknown', say(words[says], { file: harmless(file), why }));
  const decoded = (bytes: Buffer): string => {
    if (bytes.length > longest) throw refuse('tooBig');
    const text = bytes.toString('utf8');
    if (!Buffer.from(text).equals(bytes)) throw refuse('notUtf8');
    return text;
  };
  if (file === '-') return decoded(standardInput());
  let fd: number;
  try {
    // a pipe that nobody writes to would be opened for ever
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw code === 'ENOENT' ? refuse('noFile') : refuse('cannotRead', code);
  }
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) throw refuse('notAFile');
    if (facts.size > longest) throw refuse('tooBig');
    return decoded(readFileSync(fd));
  } catch (error) {
    throw error instanceof CommandError ? error : refuse('cannotRead', (error as NodeJS.ErrnoException).code);
  } finally {
    closeSync(fd);
  }
}

/** No more of it than is needed to see that it is too long. */
function standardInput(): Buffer {
  const chunks: Buffer[] = [];
  for (let length = 0; length <= longest; ) {
    const chunk = Buffer.alloc(64 * 1024);
    const read = readSync(0, chunk);
    if (read === 0) break;
    chunks.push(chunk.subarray(0, read));
    length += read;
  }
  return Buffer.concat(chunks);
}

/** What `text` says; `file` is named in the errors. */
export const readConfiguration = (file: string, text: string, language: Language): Configuration =>
  read(file, text, language, configurationShape, problemsIn);

/** Without the library's own words on standard error, as of a list for a name. */
const reading = { prettyErrors: false, logLevel: 'error' } as const;

/** What is accepted: of a pair, or of a file that says nothing else, as where somebody else's commands made the cluster. */
export function readAccepted(file: string, language: Language): Configuration['accept'] {
  const text = textOf(file, language);
  const { settings } = settingsIn(parseDocument(text, reading));
  const isAlone =
    typeof settings === 'object' &&
    settings !== null &&
    Object.keys(settings).every((key) => key === 'version' || key === 'accept');
  return isAlone
    ? read(file, text, language, acceptedShape, acceptedTwice).accept
    : readConfiguration(file, text, language).accept;
}

function read<T>(
  file: string,
  text: string,
  language: Language,
  shape: z.ZodType<T>,
  rules: (configuration: T) => Iterable<Problem>,
): T {
  const words = configurationWords(language);
  const lines = new LineCounter();
  const document = parseDocument(text.replace(/^\ufeff/, ''), { ...reading, lineCounter: lines });
  const broken = [...document.errors, ...document.warnings];
  const told: Told[] = [];
  let configuration: T | undefined;
  if (broken.length > 0) told.push(...broken.map((error) => ofYaml(error, text, words)));
  else if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
    throw new CommandError('unknown', say(words.emptyFile, { file: harmless(file) }));
  else {
    const { settings, alias } = settingsIn(document);
    if (alias)
      throw new CommandError('unknown', shown(file, text, [ofAlias(alias.node, words)], lines, words));
    const read = shape.safeParse(settings, { reportInput: true });
    const problems = read.success
      ? [...rules(read.data)]
      : read.error.issues.flatMap((one) => ofShape(one, language));
    told.push(...problems.map((problem) => placed(problem, document, words)));
    if (read.success) configuration = read.data;
  }
  if (told.length === 0 && configuration) return configuration;
  throw new CommandError('unknown', shown(file, text, told, lines, words));
}

type Words = ReturnType<typeof configurationWords>;

/** An error and where it is: offsets in the text. */
type Told = { readonly from: number; readonly to: number; readonly sentence: string };

type Settings = { readonly settings?: unknown; readonly alias?: { readonly node: Alias | undefined } };

/** What the document says, or which alias has no anchor, or too many of them (a file of 1 kB can stand for gigabytes). */
function settingsIn(document: Document.Parsed): Settings {
  try {
    return { settings: document.toJS() };
  } catch {
    const aliases: Alias[] = [];
    visit(document, { Alias: (_, node) => void aliases.push(node) });
    const node = aliases.find((one) => one.resolve(document) === undefined) ?? aliases[0];
    return { alias: { node } };
  }
}

function ofAlias(node: Alias | undefined, words: Words): Told {
  const [from, to] = node?.range ?? [0, 0];
  return { from, to, sentence: say(words.yamlAlias, { word: node?.source ?? '' }) };
}

function ofYaml({ code, message, pos: [from, to] }: YAMLError, text: string, words: Words): Told {
  const word = text.slice(from, Math.min(to, from + 40));
  const why = message.split('\n', 1)[0] ?? code;
  const sentences: { readonly [code: string]: string } = {
    DUPLICATE_KEY: words.yamlTwice,
    TAB_AS_INDENT: words.yamlTab,
    TAG_RESOLVE_FAILED: words.yamlTag,
    MULTIPLE_DOCS: words.yamlSeveral,
  };
  const isStar = /^\*[\s,\]}]?$/.test(text.slice(from, from + 2)) || (code === 'BAD_ALIAS' && word === '*');
  const key = /^[^\s:,}\]]+/.exec(text.slice(from))?.[0] ?? word;
  const sentence = isStar ? words.yamlStar : (sentences[code] ?? words.yaml);
  return { from, to, sentence: say(sentence, { word: code === 'DUPLICATE_KEY' ? key : word, why }) };
}

type Issue = z.core.$ZodIssue;

/** zod's issues, told by the sentences of words.ts. */
function ofShape(issue: Issue, language: Language): readonly Problem[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const last = String(path.at(-1) ?? '');
  const word = typeof issue.input === 'object' ? last : String(issue.input ?? last);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        isName: true,
        says: 'unknownSetting',
        facts: { word: key },
        meant: suggestion(key, settingsAt(path)),
      }));
    case 'invalid_type':
      if (issue.input === undefined) return [{ path, says: 'missing', facts: { word: last } }];
      if (issue.input === null) return [{ path, says: 'isEmpty', facts: { word: last } }];
      return [
        {
          path,
          says: 'wants',
          facts: { wanted: kindIn(language, issue.expected), found: kindIn(language, kindOf(issue.input)) },
        },
      ];
    case 'invalid_value': {
      if (issue.input === undefined) return [{ path, says: 'missing', facts: { word: last } }];
      if (last === 'version') return [{ path, says: 'onlyVersion1' }];
      const known = issue.values.map(String);
      const facts = { word, known: known.length > 8 ? '…' : known.join(', ') };
      return [{ path, says: 'oneOf', facts, meant: suggestion(word, known) }];
    }
    case 'too_small':
      return issue.origin === 'array'
        ? [{ path, says: 'noEntry' }]
        : [{ path, says: 'tooSmall', facts: { word, limit: Number(issue.minimum) } }];
    case 'too_big':
      return [{ path, says: 'tooBigNumber', facts: { word, limit: Number(issue.maximum) } }];
    case 'invalid_key': {
      const says = (issue.issues[0]?.message ?? 'unknownSetting') as Says;
      return [{ path, isName: true, says, facts: { word: last } }];
    }
    case 'invalid_union':
      if (issue.input === undefined) return [{ path, says: 'missing', facts: { word: last } }];
      if (issue.input === null) return [{ path, says: 'isEmpty', facts: { word: last } }];
      return [{ path, says: isSentence(issue.message) ? issue.message : 'holdsBlank', facts: { word } }];
    default:
      return [{ path, says: isSentence(issue.message) ? issue.message : 'holdsBlank', facts: { word } }];
  }
}

const isSentence = (message: string): message is Says => message in configurationWords('en');

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

/** The settings that a place of the file knows. */
function settingsAt(path: readonly (string | number)[]): readonly string[] {
  let at: unknown = configurationShape;
  for (const step of path) {
    at = inner(at);
    const { shape, element, valueType } = definition(at);
    at = shape ? shape[step] : (element ?? valueType);
  }
  return Object.keys(definition(inner(at)).shape ?? {});
}

type Definition = {
  readonly shape?: { readonly [name: string]: unknown };
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly innerType?: unknown;
};

const definition = (schema: unknown): Definition => (schema as { readonly def?: Definition }).def ?? {};

/** Without the default or the optional around it. */
const inner = (schema: unknown): unknown => {
  const { innerType } = definition(schema);
  return innerType === undefined ? schema : inner(innerType);
};

/** The place of a problem, or the nearest around it that is written. */
function placed({ path, isName, says, facts = {}, meant }: Problem, document: Document, words: Words): Told {
  const [from, to] = rangeOf(document, path, isName === true);
  const safe = Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [name, harmless(String(fact))]),
  );
  const suggested = meant === undefined ? '' : say(words.didYouMean, { word: meant });
  return { from, to, sentence: `${say(words[says], safe)}${suggested}` };
}

type Range = readonly [from: number, to: number];

function rangeOf(document: Document, path: readonly (string | number)[], isName: boolean): Range {
  for (let length = path.length; length > 0; length--) {
    const container = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const step = path[length - 1];
    const pair = isMap(container)
      ? container.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      : undefined;
    const isHere = length === path.length;
    const node = isPair(pair)
      ? // a block is shown by its name, and what is missing in it as well
        isHere && !isName && isScalar(pair.value) && pair.value.value !== null
        ? pair.value
        : pair.key
      : document.getIn(path.slice(0, length), true);
    const range = (node as { readonly range?: readonly number[] } | undefined)?.range;
    if (range) return [range[0] ?? 0, range[1] ?? 0];
  }
  return [0, 0];
}

const mostShown = 20;

/** `file:line:column: sentence`, the line, and a caret below what is meant. */
function shown(file: string, text: string, told: readonly Told[], lines: LineCounter, words: Words): string {
  const source = text.split(/\r?\n/);
  const sorted = [...told].sort((a, b) => a.from - b.from);
  const blocks = sorted.slice(0, mostShown).map(({ from, to, sentence }) => {
    const { line, col } = lines.linePos(from);
    const content = harmless((source[line - 1] ?? '').replaceAll('\t', ' '));
    const number = String(line).padStart(5);
    const before = ' '.repeat(columnsOf(content.slice(0, col - 1)));
    const meant = content.slice(col - 1, Math.max(col, col - 1 + (to - from)));
    const carets = '^'.repeat(Math.max(1, columnsOf(meant)));
    return `${harmless(file)}:${line}:${col}: ${sentence}\n${number} | ${content}\n${' '.repeat(5)} | ${before}${carets}`;
  });
  const more = sorted.length > mostShown ? [say(words.andMore, { count: sorted.length - mostShown })] : [];
  const end = sorted.length === 1 ? words.oneError : say(words.errors, { count: sorted.length });
  return [...blocks, ...more, end].join('\n');
}
