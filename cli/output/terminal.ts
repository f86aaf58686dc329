import { Ansis } from 'ansis';

export type Language = 'en' | 'zh';

/** Where the output goes, and what that place can show. */
export type Terminal = {
  readonly language: Language;
  /** Columns; null where nothing is to be wrapped or cut. */
  readonly width: number | null;
  readonly isTerminal: boolean;
  readonly paint: Paint;
  /** The text with its marks as this place can show them. */
  marks(text: string): string;
};

export type Paint = { readonly [name in 'bad' | 'warn' | 'good' | 'dim' | 'bold']: (text: string) => string };

export type Wishes = { readonly lang?: string | undefined; readonly color?: boolean | undefined };

type Stream = { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined };

/** Follows NO_COLOR, TERM, the locale, and what was asked for on the command line. */
export function terminalFor(env: NodeJS.ProcessEnv, stream: Stream, wishes: Wishes = {}): Terminal {
  const isTerminal = stream.isTTY === true;
  const wanted = wishes.color ?? (isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb');
  const { red, yellow, green, dim, bold } = new Ansis(wanted ? 1 : 0);
  const isUnicode = /utf-?8/i.test(localeOf(env, 'LC_CTYPE')) || languageOf(env, wishes) === 'zh';
  return {
    language: languageOf(env, wishes),
    width: isTerminal ? Math.max(40, stream.columns ?? 80) : null,
    isTerminal,
    paint: { bad: red, warn: yellow, good: green, dim, bold },
    marks: (text) => (isUnicode ? text : text.replace(/\P{ASCII}/gu, (mark) => plain[mark] ?? mark)),
  };
}

/** LC_ALL goes before the category, and that before LANG. */
const localeOf = (env: NodeJS.ProcessEnv, category: string): string =>
  env['LC_ALL'] || env[category] || env['LANG'] || 'C';

export function languageOf(env: NodeJS.ProcessEnv, { lang }: Wishes): Language {
  const asked = lang ?? localeOf(env, 'LC_MESSAGES');
  return /^zh/i.test(asked) ? 'zh' : 'en';
}

const plain: { readonly [mark: string]: string } = {
  '✓': 'ok',
  '✗': 'X',
  '→': '->',
  '←': '<-',
  '…': '...',
  '–': '-',
  '’': "'",
  '·': '.',
  '█': '#',
  '░': '.',
};

const colours = new RegExp(`${'\\x1b'}\\[[\\d;]*m`, 'g');

/** Columns that a text takes: Chinese characters and full-width signs take two, colours none. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text.replace(colours, '')) {
    const code = character.codePointAt(0) ?? 0;
    const isWide =
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      code >= 0x20000;
    columns += isWide ? 2 : 1;
  }
  return columns;
}

const padded = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - columnsOf(text)));

/** Rows under a head, columns as wide as they have to be, two blanks between. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => columnsOf(row[column] ?? ''))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => padded(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Lines of at most that many columns, broken at blanks, and between Chinese characters. */
export function wrapped(text: string, width: number | null): readonly string[] {
  if (width === null) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+/gu) ?? []) {
    if (line !== '' && columnsOf(line + word) > width) {
      lines.push(line.trimEnd());
      line = word.trim();
    } else line += word;
  }
  return line.trim() === '' ? lines : [...lines, line.trimEnd()];
}

/** What a control character in a name could do to a terminal. */
export const harmless = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
