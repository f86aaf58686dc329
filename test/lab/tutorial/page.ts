/** Where a block of commands is typed. `active` is the node that serves at that moment, `passive` the other one. */
const places = ['node1', 'node2', 'both', 'client', 'active', 'passive'] as const;
export type Place = (typeof places)[number];

/** Commands of a page, as a reader pastes them. */
export interface Block {
  /** Of the opening fence, from 1. */
  line: number;
  /** What the lab does before it is typed: the last `<!-- lab: NAME -->` between it and the block before. */
  situation: string | undefined;
  place: Place;
  commands: string;
  /** Exit status of the whole block. */
  exit: number;
  /** Why the lab cannot run it; nothing where it can. */
  skip: string | undefined;
  /** What is shown below it; every line must be in the real output, in this order. */
  expected: string[];
  /** What is shown below it of a state that passes by, and so is not looked for. */
  passing: string[];
}

interface Fence {
  line: number;
  info: string;
  lines: string[];
  situation: string | undefined;
}

/** ```` ```sh node1 exit=1 skip="why" ```` */
const shellInfo = /^sh (?<place>\w+)(?: exit=(?<exit>\d+))?(?: skip="(?<skip>[^"]+)")?$/;
const situationComment = /^<!-- lab: (?<situation>.+) -->$/;
const isPlace = (word: string | undefined): word is Place => places.some((place) => place === word);

/**
 * The blocks of a page in the order of the page. A fence is `sh PLACE [exit=N] [skip="why"]`, or what the block before it prints: `text`,
 * or `text passing`. Throws, with the line, at any other fence: a command that nobody marked would be run by nobody.
 */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  for (const { line, info, lines, situation } of fencesOf(markdown)) {
    const above = blocks.at(-1);
    if (info === 'text' || info === 'text passing') {
      if (!above) throw new Error(`line ${line}: an output without a command above it`);
      above[info === 'text' ? 'expected' : 'passing'].push(...lines);
      continue;
    }
    const { place, exit = '0', skip } = shellInfo.exec(info)?.groups ?? {};
    if (!isPlace(place)) throw new Error(`line ${line}: \`\`\`${info} says not who runs it`);
    const commands = lines.join('\n');
    blocks.push({ line, situation, place, commands, exit: Number(exit), skip, expected: [], passing: [] });
  }
  return blocks;
}

function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = [];
  let open: Fence | undefined;
  let situation: string | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open && line === '```') {
      fences.push(open);
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (line.startsWith('```')) {
      open = { line: index + 1, info: line.slice(3), lines: [], situation };
      situation = undefined;
    } else situation = situationComment.exec(line)?.groups?.['situation'] ?? situation;
  }
  if (open) throw new Error(`line ${open.line}: a fence that is not closed`);
  return fences;
}

/** A number by itself: a time, a size, a count. Not those within an address, a device, a name. */
const figure = /(?<![\w./-])\d+(?:[.,:]\d+)*(?![\w./-])/g;
const isAddress = (text: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(text);

/**
 * A line of an output without what differs from one run to the next: figures, days of the week, how far a bar has got, blanks, and which
 * of the two nodes Pacemaker chose.
 */
export const essenceOf = (line: string): string =>
  line
    .replace(/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b/g, 'Day')
    .replace(/\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b/g, 'Month')
    .replace(/\bnode[12]\b/g, 'node')
    .replace(figure, (text) => (isAddress(text) ? text : '0'))
    .replace(/\s+/g, ' ')
    .trim();

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** `…` stands for anything, within a line or instead of lines. */
function patternOf(expected: string): RegExp {
  return new RegExp(`^${essenceOf(expected).split('…').map(escaped).join('.*')}$`);
}

/** The first line that a page shows and an output lacks, or has in another order; nothing when all are there. */
export function missingLine(expected: readonly string[], output: string): string | undefined {
  const seen = output.split('\n').map(essenceOf);
  let from = 0;
  for (const line of expected) {
    if (line.trim() === '' || line.trim() === '…') continue;
    const pattern = patternOf(line);
    const index = seen.findIndex((text, at) => at >= from && pattern.test(text));
    if (index < 0) return line;
    from = index + 1;
  }
  return undefined;
}
