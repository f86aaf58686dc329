import { Failure } from '../../lib/contract/outcome.ts';

// Older nfs-utils take the scope from the node's name of their UTS namespace: they get one of their own, with the scope as its name. A
// drop-in of the server's unit puts that in front of the unit's own commands, which stay as they are written: quotes, `%` and `$` are
// systemd's to read (systemd.service(5), "Command lines"; systemd.syntax(7)).

/** Where a unit whose nfs-utils takes the scope from the node's name finds it. */
export const nodeScope = '/run/tsha-nfs/scope';

/** systemd reads drop-ins in the order of these names, in whatever directory they are; an administrator's is often `override.conf`. */
export const ourName = 'zzzz-tsha-scope.conf';
/** Our own of before, and the stock agent's, which is left when the resource was taken over from it. */
export const formerNames = ['51-tsha-scope.conf', '51-resource-agents-unshare-uts.conf'] as const;

const isOurs = (path: string): boolean => [ourName, ...formerNames].some((name) => path.endsWith(`/${name}`));

/** A unit file or a drop-in of it. */
export type UnitFile = { readonly path: string; readonly text: string };

/** The same for every scope, so that systemd can have read it long before the scope is known. Throws `Failure`. */
export function dropInText(files: readonly UnitFile[]): string {
  const commands = commandsOf(files).map(renamed);
  if (commands.length === 0) throw new Failure('notInstalled', 'nfs-server.service has no ExecStart');
  return [
    '# Written by tsha:nfsserver, gone with the next boot.',
    '[Service]',
    'ExecStart=',
    ...commands.map((command) => `ExecStart=${command}`),
    '',
  ].join('\n');
}

type Command = {
  /** Without `@`. */
  readonly prefixes: string;
  /** The word after a program with `@` in front: what it is called. */
  readonly called: string | undefined;
  /** The program and its arguments, as they are written. */
  readonly words: readonly string[];
};

const rename = `if [ -e ${nodeScope} ]; then cat ${nodeScope} > /proc/sys/kernel/hostname || exit 1; fi`;

function renamed({ prefixes, called, words }: Command): string {
  const dollar = prefixes.includes(':') ? '$' : '$$'; // with `:` systemd replaces no variables
  const begin = `${prefixes}/usr/bin/unshare --uts`;
  const rest = words.join(' ');
  return called === undefined
    ? `${begin} /bin/sh -c '${rename}; exec "${dollar}@"' tsha ${rest}`
    : `${begin} /bin/bash -c '${rename}; exec -a "${dollar}0" "${dollar}@"' ${called} ${rest}`;
}

/** Of the files in the order in which systemd reads them: the first after our drop-in that says what is to be started. */
export function readAfter(files: readonly UnitFile[], dropIn: string): string | undefined {
  const at = files.findIndex(({ path }) => path === dropIn);
  return files.slice(at + 1).find(({ text }) => startLines(text).length > 0)?.path;
}

/** The commands in force: an empty line takes back all before it; our own drop-in and former ones do not count. */
function commandsOf(files: readonly UnitFile[]): readonly Command[] {
  let commands: Command[] = [];
  for (const { path, text } of files) {
    if (isOurs(path)) continue;
    for (const value of startLines(text)) {
      if (value === '') commands = [];
      else for (const command of split(value)) commands.push(command);
    }
  }
  return commands;
}

/** The values of ExecStart in a file. A backslash at the end of a line continues it, past comments. */
function startLines(text: string): readonly string[] {
  const values: string[] = [];
  let [section, begun] = ['', ''];
  for (const line of text.split('\n')) {
    if (/^\s*[#;]/.test(line)) continue;
    const isContinued = /(?:^|[^\\])(?:\\\\)*\\$/.test(line);
    const whole = begun + (isContinued ? `${line.slice(0, -1)} ` : line);
    begun = isContinued ? whole : '';
    if (isContinued) continue;
    section = /^\s*\[(.*)\]\s*$/.exec(whole)?.[1] ?? section;
    const value = /^\s*ExecStart\s*=(.*)$/.exec(whole)?.[1];
    if (value !== undefined && section === 'Service') values.push(value.trim());
  }
  return values;
}

/** A word ends with a blank outside of quotes; a backslash takes the meaning of what follows it, in quotes, too. */
const oneWord = /(?:[^\s'"\\]|\\.|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")+/y;

/** The commands of a line; a semicolon that is a word of its own lies between two. */
function split(line: string): readonly Command[] {
  const commands: string[][] = [[]];
  for (let at = 0; at < line.length; ) {
    oneWord.lastIndex = at;
    const word = oneWord.exec(line)?.[0];
    if (word === undefined && !/\s/.test(line.charAt(at))) throw notUnderstood(line);
    if (word === ';') commands.push([]);
    else if (word !== undefined) commands.at(-1)?.push(word);
    at += word?.length ?? 1;
  }
  return commands.filter((words) => words.length > 0).map((words) => commandOf(words, line));
}

/** Of these `@`, `-` and `:` once each, and one of the others, in any order. */
const prefixed = /^((?:[-@:+]|!!?)*)(.*)$/s;

function commandOf([first = '', ...others]: readonly string[], line: string): Command {
  const [, prefixes = '', program = ''] = prefixed.exec(first) ?? [];
  // `|` is a shell's business, a prefix may hide in quotes, and only a program's own name is not searched for variables
  if (/^(?:\||["']?$|["'][-@:+!|])/.test(program) || program.includes('$')) throw notUnderstood(line);
  if (!prefixes.includes('@')) return { prefixes, called: undefined, words: [program, ...others] };
  const [called, ...args] = others;
  if (called === undefined) throw notUnderstood(line);
  return { prefixes: prefixes.replace('@', ''), called, words: [program, ...args] };
}

const notUnderstood = (line: string): Failure =>
  new Failure('failed', `the server scope cannot be set, for its unit has ExecStart=${line}`);
