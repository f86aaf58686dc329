import { procVersion } from '../../lib/host/drbd/version.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import type { Call } from '../command.ts';
import type { Pair } from '../configuration/pair.ts';
import { configurationFile, readPair } from '../configuration/read.ts';
import { diskSentence, lookAtDisk } from '../disk/seen.ts';
import { diskWords } from '../disk/words.ts';
import type { Ending } from '../exit.ts';
import { tryToKnow } from '../facts/known.ts';
import { print, printLines } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { wantedOf } from './cluster.ts';
import type { DrbdGeneration } from './files.ts';
import { planScript } from './script.ts';
import { planWords } from './words.ts';
import { configurationXml } from './xml.ts';

type PlanOptions = { readonly config: string | undefined; readonly as: 'pcs' | 'crm' | 'xml' };

/** `tsha plan`: prints, changes nothing. */
export async function planFromFile(call: Call, { config, as }: PlanOptions): Promise<Ending> {
  const { language } = call.terminal;
  const pair = readPair(config ?? configurationFile, language);
  if (as === 'xml') print(1, configurationXml(wantedOf(pair), planWords(language)));
  else printLines(planScript(pair, as, await generationHere(call), language, await diskHere(call, pair)));
  return 'well';
}

/** What this node's disk of the pair shows, where this is one of its nodes and root asks; else null. */
async function diskHere({ host, sys, terminal }: Call, { nodes }: Pair): Promise<string | null> {
  const name = (await readIfThere(host, '/proc/sys/kernel/hostname'))?.trim();
  const node = nodes.find((one) => one.name === name);
  if (!node || sys.uid !== 0) return null;
  const { language } = terminal;
  const seen = await tryToKnow(() => lookAtDisk(host, node.disk));
  return seen.is === 'known'
    ? harmless(diskSentence(node.disk, seen.value, language))
    : harmless(say(diskWords(language).notLooked, { path: node.disk, why: seen.why }));
}

/** Of the DRBD that is loaded here; the kernel's own, 8.4, where none is. */
async function generationHere({ host }: Call): Promise<DrbdGeneration> {
  const [major] = procVersion((await readIfThere(host, '/proc/drbd')) ?? '') ?? [8];
  return major >= 9 ? 9 : 8;
}
