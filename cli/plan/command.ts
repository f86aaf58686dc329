import { readIfThere } from '../../lib/host/local-files.ts';
import type { Call } from '../command.ts';
import { type Pair, volumesOf } from '../configuration/pair.ts';
import { configurationFile, readPair } from '../configuration/read.ts';
import { diskSentence, lookAtDisk } from '../disk/seen.ts';
import { diskWords } from '../disk/words.ts';
import { generationHere } from '../drbd/side.ts';
import type { Ending } from '../exit.ts';
import { tryToKnow } from '../facts/known.ts';
import { print, printLines } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { wantedOf } from './cluster.ts';
import { planScript } from './script.ts';
import { planWords } from './words.ts';
import { configurationXml } from './xml.ts';

type PlanOptions = { readonly config: string | undefined; readonly as: 'pcs' | 'crm' | 'xml' };

/** `tsha plan`: prints, changes nothing. */
export async function planFromFile(call: Call, { config, as }: PlanOptions): Promise<Ending> {
  const { language } = call.terminal;
  const pair = readPair(config ?? configurationFile, language);
  if (as === 'xml') print(1, configurationXml(wantedOf(pair), planWords(language)));
  else
    printLines(planScript(pair, as, await generationHere(call.host), language, await disksHere(call, pair)));
  return 'well';
}

/** What this node's disks of the pair show, where this is one of its nodes and root asks. */
async function disksHere({ host, sys, terminal }: Call, pair: Pair): Promise<readonly string[]> {
  const name = (await readIfThere(host, '/proc/sys/kernel/hostname'))?.trim() ?? '';
  if (sys.uid !== 0) return [];
  const { language } = terminal;
  const sentences: string[] = [];
  for (const { disks } of volumesOf(pair)) {
    const disk = disks[name];
    if (disk === undefined) continue;
    const seen = await tryToKnow(() => lookAtDisk(host, disk));
    sentences.push(
      seen.is === 'known'
        ? diskSentence(disk, seen.value, language)
        : say(diskWords(language).notLooked, { path: disk, why: seen.why }),
    );
  }
  return sentences.map(harmless);
}
