import type { Pair } from '../configuration/pair.ts';
import { CommandError } from '../exit.ts';
import { readCib } from '../facts/cib.ts';
import type { Element } from '../facts/xml.ts';
import { harmless, type Language } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { applyWords } from './words.ts';

/**
 * Throws `CommandError` where the file is that of another cluster. Ids do not tell that: two pairs that are called the same have the same
 * ones.
 */
export function requireSameNodes(cib: Element, { nodes }: Pair, language: Language): void {
  const there = [...readCib(cib).nodes.keys()].sort();
  const inFile = nodes.map(({ name }) => name).sort();
  if (inFile.join(' ') !== there.join(' '))
    throw new CommandError(
      'broken',
      say(applyWords(language).otherNodes, {
        file: inFile.join(', '),
        cluster: harmless(there.join(', ') || '–'),
      }),
    );
}
