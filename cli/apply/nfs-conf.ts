import { hostName } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import type { Call } from '../command.ts';
import type { Pair } from '../configuration/pair.ts';
import { ownName } from '../facts/gather.ts';
import { say } from '../output/words.ts';
import { nfsConf, nfsConfFile } from '../plan/files.ts';
import { shellLine } from '../stack.ts';
import { applyWords } from './words.ts';

/**
 * What no resource writes, and the file asks for all the same: nfsd's threads, with the stock agents its times and ports. Told of this
 * node; empty where its file is as it should be, and where this is none of the pair's nodes.
 */
export async function nfsConfTrouble(call: Call, pair: Pair): Promise<readonly string[]> {
  const { host, sys, terminal } = call;
  if (sys.env['CIB_file']) return [];
  const nodes = pair.nodes.map(({ name }) => name);
  const here = ownName(await hostName(host), nodes);
  if (!nodes.includes(here)) return [];
  const wanted = nfsConf(pair) ?? '';
  const there = (await readIfThere(host, nfsConfFile)) ?? '';
  if (there.trim() === wanted.trim()) return [];
  const words = applyWords(terminal.language);
  const lines = wanted.split('\n').filter(Boolean);
  const mend =
    lines.length === 0
      ? shellLine(['rm', nfsConfFile])
      : `${shellLine(['printf', '%s\\n', ...lines])} > ${nfsConfFile}`;
  return [`! ${say(words.nfsConf, { file: nfsConfFile, node: here })}`, `  → ${mend}`].map(terminal.marks);
}
