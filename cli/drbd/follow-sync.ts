import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import type { Call } from '../command.ts';
import type { Pair } from '../configuration/pair.ts';
import { CommandError, type Ending } from '../exit.ts';
import { print, printLines } from '../output/print.ts';
import { say } from '../output/words.ts';
import { statesOf } from './run.ts';
import { drbdWords } from './words.ts';

export const tell = ({ terminal }: Call, sentence: string): void =>
  print(1, terminal.marks(`✓ ${sentence}\n`));

const syncsWithinMs = 12 * 3_600_000;

/** Until both copies are whole; Ctrl-C ends the waiting and nothing else. */
export async function followSync(call: Call, pair: Pair, next?: string): Promise<Ending> {
  const { host, sys, terminal } = call;
  const words = drbdWords(terminal.language);
  const end = sys.now() + syncsWithinMs;
  let told = '';
  for (; sys.now() < end; await sys.sleep(2000)) {
    const states = await statesOf(host, 'dstate', pair).catch((error: unknown) => {
      if (error instanceof CommandError || error instanceof Failure) return [];
      throw error;
    });
    if (states.length > 0 && states.every((state) => state === 'UpToDate/UpToDate')) {
      tell(call, words.synced);
      if (next !== undefined) printLines([terminal.marks(`  → ${next}`)]);
      return 'well';
    }
    const percent = await percentOf(host);
    const line = percent === null ? '' : say(words.syncing, { percent });
    if (line !== '' && line !== told) print(1, `  ${line}\n`);
    told = line;
  }
  print(1, `${words.goesOn}\n`);
  return 'halfway';
}

/** `sync'ed: 12.3%` of 8.4, `done:12.34` of 9; the least of all volumes, whole percent. */
async function percentOf(host: Host): Promise<number | null> {
  const proc = await host.tryRun(['cat', '/proc/drbd'], { timeoutMs: 5000 });
  const nine = await host.tryRun(['drbdsetup', 'status', '--verbose', '--statistics'], { timeoutMs: 5000 });
  const found = [...`${proc.stdout}\n${nine.stdout}`.matchAll(/(?:sync'ed:\s*|done:)(\d+(?:\.\d+)?)/g)];
  return found.length === 0 ? null : Math.floor(Math.min(...found.map(([, percent]) => Number(percent))));
}
