import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import type { Call } from '../command.ts';
import type { Pair } from '../configuration/pair.ts';
import { CommandError } from '../exit.ts';
import { print } from '../output/print.ts';
import { say } from '../output/words.ts';
import { statesOf } from './run.ts';
import { drbdWords } from './words.ts';

// Two sides that meet for the first time. Where the content of one of them counts, nothing is taken back any more.

/** `theirs`, `ours`: whose content counts. `strange`: nobody's, and they are not what create-md makes. */
export type Meeting = 'new' | 'theirs' | 'ours' | 'strange';

const counts = /^(UpToDate|Consistent|Outdated)$/;
/** 8.4 tells these in place of Connected. */
const copies = /^(WFBitMapT|WFSyncUUID|StartingSyncT|SyncTarget|PausedSyncT)$/;
const isCopied = /^(WFBitMapS|StartingSyncS|SyncSource|PausedSyncS)$/;
const passing = /^(DUnknown|Attaching|Negotiating)$/;

/** By the lines of `drbdadm cstate` and `drbdadm dstate`; null while they have not met. */
export function meetingOf(links: readonly string[], disks: readonly string[]): Meeting | null {
  const [own = [], theirs = []] = [0, 1].map((side) => disks.map((pair) => pair.split('/')[side] ?? ''));
  const some = (states: readonly string[], pattern: RegExp) => states.some((state) => pattern.test(state));
  if (some(links, copies) || some(theirs, counts)) return 'theirs';
  if (some(links, isCopied) || some(own, counts)) return 'ours';
  if (links.length === 0 || !links.every((state) => state === 'Connected')) return null;
  if (disks.length === 0 || some([...own, ...theirs], passing)) return null;
  return disks.every((pair) => pair === 'Inconsistent/Inconsistent') ? 'new' : 'strange';
}

type Seen = { readonly meeting: Meeting | null; readonly disks: readonly string[] };

async function look(host: Host, pair: Pair): Promise<Seen> {
  const links = await statesOf(host, 'cstate', pair);
  const disks = await statesOf(host, 'dstate', pair);
  return { meeting: meetingOf(links, disks), disks };
}

/** As a sentence; null where nobody's content counts. */
function countedIn(call: Call, { meeting, disks }: Seen, peer: string): string | null {
  const words = drbdWords(call.terminal.language);
  if (meeting === 'theirs') return say(words.peerHasData, { peer });
  return meeting === 'ours' ? say(words.notNew, { states: disks.join(', ') }) : null;
}

/** Whose content counts by now, as a sentence; null where nobody's does, and where DRBD is not up. */
export async function whoCounts(call: Call, pair: Pair, peer: string): Promise<string | null> {
  try {
    return countedIn(call, await look(call.host, pair), peer);
  } catch (error) {
    if (error instanceof CommandError || error instanceof Failure) return null;
    throw error;
  }
}

/** Until both sides have met and are what create-md has just made of them. Throws `CommandError`, `halfway` where somebody's content counts. */
export async function untilBothNew(call: Call, pair: Pair, peer: string, seconds: number): Promise<void> {
  const { host, sys, terminal } = call;
  const words = drbdWords(terminal.language);
  print(1, `  ${say(words.waiting, { peer })}\n`);
  const end = sys.now() + seconds * 1000;
  for (; sys.now() < end; await sys.sleep(1000)) {
    const seen = await look(host, pair);
    const counted = countedIn(call, seen, peer);
    if (counted !== null) throw new CommandError('halfway', counted, ['tsha status']);
    if (seen.meeting === 'new') return;
    if (seen.meeting === 'strange')
      throw new CommandError('broken', say(words.notNew, { states: seen.disks.join(', ') }));
  }
  throw new CommandError('broken', say(words.notConnected, { peer, seconds, resource: pair.drbd.resource }));
}
