import { bytesOf, isEscaped } from './bytes.ts';
import type { Argv } from './sys.ts';

/**
 * A command whose arguments are bytes. Runtimes turn every argument into UTF-8 (Node 20 to 24, Bun 1.4), so a path that is none
 * would reach the command as another one. Then /bin/sh spells the arguments: the text it gets is made of octal digits alone. It
 * becomes the command, so process number, exit status and signals are the command's own.
 */
export const rawArgv = (argv: Argv): Argv =>
  argv.some(isEscaped) ? ['/bin/sh', '-c', `${argv.map(spelled).join('; ')}; exec "$@"`, 'sh'] : argv;

/** The point keeps line breaks at the end, which a command substitution would drop. */
const spelled = (argument: string): string =>
  `one=$(printf '${[...bytesOf(argument)].map(octal).join('')}.'); set -- "$@" "\${one%.}"`;

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;
