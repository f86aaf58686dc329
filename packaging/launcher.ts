import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Product } from './products.ts';

// Every executable begins as a shell script: that answers by itself what needs no program, meta-data (Pacemaker asks before every
// start, as an ordinary user, and wants it fast) and notifications that ask nothing of an agent, and clears the environment before a runtime starts that would obey it.

/** The one program of the native flavour. */
export const nativeProgram = 'tsha-agents';

/** Where a Node is looked for, as patterns of the shell; the first that is new enough runs the agents. */
export const nodePlaces = [
  '/usr/bin/node',
  '/usr/local/bin/node',
  '/usr/bin/nodejs',
  '/usr/lib/tsha/bin/node',
  '/usr/bin/node-[2-9][0-9]',
  '/usr/bin/node[2-9][0-9]',
] as const;

const part = (name: string) => readFileSync(join(import.meta.dirname, 'launcher', `${name}.sh`), 'utf8');

/** Finds `runtime`, a Node that is new enough; `end CODE REASON` is the caller's. */
export const findNode = (): string => part('find-node').replace('@NODES@', nodePlaces.join(' '));

/** The head of a script-flavour executable: it never gets beyond its end; to JavaScript, whose code follows it, all of it is a comment. */
export const scriptHead = (product: Product): string =>
  `#!/bin/sh\n':' /*\n${shellPart(product, `${findNode()}${part('node')}`)}*/\n`;

/** A native-flavour executable: the shell part alone, in front of the one program. */
export const nativeLauncher = (product: Product): string =>
  `#!/bin/sh\n${shellPart(product, part('native'))}`
    .replaceAll('@NAME@', product.name)
    .replaceAll('@PROGRAM@', nativeProgram);

function shellPart({ metadata, needless = [] }: Product, run: string): string {
  const forPeople = "OCF_EXIT_REASON_PREFIX='tsha: ' # spoken to people, not to Pacemaker\n";
  const patterns = needless.map((one) => `notify:${one}:`).join(' | ');
  const actions = [
    ...(patterns ? [part('notify').replace('@NEEDLESS@', patterns)] : []),
    part('clear'),
    run,
  ].join('\n');
  if (!metadata) return `${forPeople}\n${actions}`;
  return part('agent')
    .replace('@ACTIONS@', () => actions)
    .replace('@METADATA@', () => shellQuote(metadata));
}

/** Where an installation has put what an executable needs. */
export type Places = { readonly runtime?: string | undefined; readonly runner?: string | undefined };

/** Fixes the paths that `install` found, or put something there; a launcher without such a line does without. */
export const setPlaces = (text: string, places: Places): string =>
  Object.entries(places).reduce(
    (done, [name, path]) =>
      path === undefined
        ? done
        : done.replace(new RegExp(`^${name}=$`, 'm'), () => `${name}=${shellQuote(path)}`),
    text,
  );

/** The empty string between * and / keeps a text from ending the comment that hides the shell part from JavaScript. */
const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''").replaceAll('*/', "*''/")}'`;
