/** Text in the language of man(7): what would be a request, an escape or a typographic hyphen in it stays text. */
export const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/^\./gm, '\\&.');

/** An argument of a request. */
export const quoted = (text: string): string => `"${roff(text).replaceAll('"', '\\(dq')}"`;

/** Paragraphs of prose, parted by empty lines. Chinese has no blanks where a line of the source ends. */
export const paragraphs = (text: string): readonly string[] =>
  text
    .trim()
    .split(/\n\s*\n/)
    .map((one) => filled(one.replace(/(\P{ASCII})\n(\P{ASCII})/gu, '$1$2').replaceAll('\n', ' ')));

const width = 78;

/** Prose as lines of a source file: a sentence begins a line, as man(7) wants it, and none is longer than needed. */
export function filled(text: string): string {
  const lines: string[] = [];
  for (const sentence of text.split(/(?<=[.:;!?]) (?=[A-Z])/)) {
    let line = '';
    for (const word of sentence.split(' ')) {
      const longer = line ? `${line} ${word}` : word;
      if (line && Buffer.byteLength(roff(longer)) > width) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    lines.push(line);
  }
  return lines.map(roff).join('\n');
}

/** Lines as they are, in an example. */
export const literal = (lines: readonly string[]): readonly string[] => [
  '.RS 4',
  '.nf',
  ...lines.map(roff),
  '.fi',
  '.RE',
];
