import { readIfThere } from '../../lib/host/local-files.ts';
import type { Call } from '../command.ts';
import { configurationFile, readPair } from '../configuration/read.ts';
import type { Ending } from '../exit.ts';
import { print, printLines } from '../output/print.ts';
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
  else printLines(planScript(pair, as, await generationHere(call), language));
  return 'well';
}

/** Of the DRBD that is loaded here; the kernel's own, 8.4, where none is. */
async function generationHere({ host }: Call): Promise<DrbdGeneration> {
  return /^version: (9|1\d)\./m.test((await readIfThere(host, '/proc/drbd')) ?? '') ? 9 : 8;
}
