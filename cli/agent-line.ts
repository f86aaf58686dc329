import type { CommonOptions } from './command.ts';

/** A line of `tsha agent`, of whose options yargs knows only those that every command has. */
export type AgentLine = {
  readonly agent: string;
  readonly action: string;
  /** Whatever else was given, as written. */
  readonly words: readonly string[];
  readonly trace: boolean;
  readonly common: CommonOptions;
};

/** From the command on: options that every command has may stand before it. */
export function fromCommand(argv: readonly string[]): readonly string[] {
  let at = 0;
  for (let taken = commonAt(argv, at); taken !== null; taken = commonAt(argv, at)) at += taken.length;
  return argv.slice(at);
}

/** Null for what yargs has to answer: another command, a line without agent or action, `--help`, a language that there is not. */
export function agentLine(argv: readonly string[]): AgentLine | null {
  const named: string[] = [];
  const words: string[] = [];
  let common: CommonOptions = {};
  let trace = false;
  for (let at = 0; at < argv.length; ) {
    const word = argv[at] ?? '';
    const taken = commonAt(argv, at);
    at += taken?.length ?? 1;
    if (taken) common = { ...common, ...taken.option };
    else if (named.length < 3 && !word.startsWith('-')) named.push(word);
    else if (named[0] !== 'agent' || word === '--help') return null;
    else if (word === '--trace') trace = true;
    else words.push(word);
  }
  const [command, agent, action] = named;
  if (command !== 'agent' || agent === undefined || action === undefined) return null;
  if (common.lang !== undefined && !languages.some((one) => one === common.lang)) return null;
  return { agent, action, words, trace, common };
}

export const languages = ['en', 'zh'] as const;

const switches: { readonly [word: string]: CommonOptions } = {
  '--json': { json: true },
  '--no-json': { json: false },
  '--quiet': { quiet: true },
  '--no-quiet': { quiet: false },
  '-q': { quiet: true },
  '--color': { color: true },
  '--no-color': { color: false },
  '--input': { input: true },
  '--no-input': { input: false },
};

/** The option that every command has and that stands there, and how many words it is. */
function commonAt(
  argv: readonly string[],
  at: number,
): { readonly length: 1 | 2; readonly option: CommonOptions } | null {
  const word = argv[at] ?? '';
  if (word.startsWith('--lang=')) return { length: 1, option: { lang: word.slice('--lang='.length) } };
  const lang = argv[at + 1];
  if (word === '--lang') return { length: lang === undefined ? 1 : 2, option: { lang: lang ?? '' } };
  const option = Object.hasOwn(switches, word) ? switches[word] : undefined;
  return option ? { length: 1, option } : null;
}
