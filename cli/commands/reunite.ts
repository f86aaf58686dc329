import type { Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { type DrbdResource, lookAtDrbd, type Peer } from '../facts/drbd.ts';
import { tryToKnow } from '../facts/known.ts';
import { type Answer, askNode, unreachable } from '../facts/other-node.ts';
import type { Left } from '../interrupt.ts';
import type { Narrate } from '../output/narration.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { duration } from '../output/units.ts';
import { say, type Words, wordsIn } from '../output/words.ts';
import { shellLine } from '../stack.ts';
import {
  connectHere,
  discardHere,
  hangUpHere,
  linkOf,
  settledLinkIn,
  survivorCommands,
  takeBack,
  tellTakenBack,
  victimCommands,
} from './discard.ts';
import { nameless, type Side, type Split } from './sides.ts';

// Two sides of a split brain are brought together, the one giving up what it has changed alone.

type Both = { readonly victim: Side; readonly survivor: Side };

/** The connection as each side's drbdadm takes it: `resource:peer` where it is one of several. */
type Ends = { readonly ofVictim: string; readonly ofSurvivor: string };

export function connectionsOf({ resource, sides, isOneOfSeveral }: Split, victim: string): Ends {
  const survivor = sides.find((side) => side.node !== victim)?.node ?? '';
  const towards = (peer: string) => (isOneOfSeveral ? `${resource}:${peer}` : resource);
  return { ofVictim: towards(survivor), ofSurvivor: towards(victim) };
}

/** The connection as this command takes it on this node. */
export const connectionHere = ({ resource, sides, isOneOfSeveral }: Split): string =>
  isOneOfSeveral ? `${resource}:${sides.find(({ isHere }) => !isHere)?.node ?? ''}` : resource;

/** The command that gives up what a side has changed, as a person is to type it. */
export const discardLine = (split: Split, { node }: Side): string =>
  harmless(
    shellLine(['tsha', 'split-brain', connectionHere(split), `--discard=${node}`, `--confirm=${node}`]),
  );

/** What is done, by hand or by `reunite`, in this order: `node1: drbdadm connect data`. */
export function linesOf(split: Split, victim: Side, survivor: Side): readonly string[] {
  const { ofVictim, ofSurvivor } = connectionsOf(split, victim.node);
  const on = ({ node }: Side, argv: Argv) => `${node}: ${shellLine(argv)}`;
  const [hangUp, giveUp] = victimCommands(ofVictim);
  return [
    on(victim, hangUp),
    ...survivorCommands(ofSurvivor).map((argv) => on(survivor, argv)),
    on(victim, giveUp),
  ];
}

/**
 * The victim hangs up, the side that stays begins to wait, the victim comes back and gives up. Two that met before it says so would be parted
 * once more, or a policy would decide. Whoever ends this in between finds two sides that are not connected, and nothing given up; until DRBD
 * has met the other side an interruption takes the wish back.
 */
export async function reunite(call: Call, split: Split, both: Both, narrate: Narrate): Promise<Ending> {
  const { host, terminal } = call;
  const { victim, survivor } = both;
  const words = wordsIn(terminal.language);
  const ends = connectionsOf(split, victim.node);
  const { ofVictim, ofSurvivor } = ends;
  call.onInterrupt(() => takenBack(call, both, ends, words));
  if (victim.isHere) {
    await hangUpHere(host, ofVictim, words);
    await there(call, survivor, 'connect', ofSurvivor, survivorCommands(ofSurvivor), narrate);
    await discardHere(host, ofVictim, victim.node, words);
  } else {
    // a tsha there that does not know the word hangs up when it gives up, and a person when he is told to
    await ask(host, victim, 'hangup', ofVictim, 60_000);
    await connectHere(host, ofSurvivor, words);
    await there(call, victim, 'discard', ofVictim, victimCommands(ofVictim), narrate);
  }
  return follow(call, split, both, narrate);
}

async function takenBack(
  { host }: Call,
  { victim, survivor }: Both,
  { ofVictim, ofSurvivor }: Ends,
  words: Words,
): Promise<Left | undefined> {
  if (victim.isHere) return takeBack(host, ofVictim, words);
  const answer = await ask(host, victim, 'hangup', ofVictim, 20_000);
  const there = settledLinkIn(answer.is === 'answered' ? answer.text.trim() : undefined);
  // where that node does not tell, as a tsha of old does not: a connection has two ends
  const here = await tryToKnow(() => linkOf(host, ofSurvivor));
  const hasMet = survivor.isHere && here.is === 'known' && here.value === 'Connected';
  const byHand = `${victim.node}: drbdadm disconnect ${ofVictim}`;
  return tellTakenBack(there ?? (hasMet ? 'Connected' : undefined), ofVictim, byHand, words);
}

const ask = async (
  host: Host,
  { host: name }: Side,
  verb: 'hangup' | 'connect' | 'discard',
  connection: string,
  withinMs: number,
): Promise<Answer> =>
  name === null ? unreachable(nameless) : askNode(host, name, verb, [connection], withinMs);

/** By ssh where that is possible; else a person has to do it, and this command waits for the effect. */
async function there(
  call: Call,
  side: Side,
  verb: 'connect' | 'discard',
  connection: string,
  byHand: readonly Argv[],
  narrate: Narrate,
): Promise<void> {
  const words = wordsIn(call.terminal.language);
  const { node } = side;
  const answer = await ask(call.host, side, verb, connection, 60_000);
  if (answer.is === 'refused')
    throw new CommandError('broken', say(words.failedThere, { node, why: answer.why }), ['tsha status']);
  if (answer.is === 'unreachable') {
    const line = byHand.map((argv) => shellLine(argv)).join('; ');
    narrate('seen', [`${say(words.runThere, { node })} (${harmless(answer.why)})`, `  → ${line}`], {
      commands: [`${node}: ${line}`],
    });
  }
}

const syncsWithinMs = 6 * 3_600_000;
/** Between one parting and the next attempt: DRBD parts two sides that meet before the victim has been told to give up. */
const againMs = [3000, 10_000, 30_000] as const;
/** Who stands alone for so long has been disconnected by somebody, who will have had a reason. */
const aloneMs = 20_000;

/** Until both copies are UpToDate. Whatever ends this waiting, DRBD goes on by itself. */
async function follow(
  call: Call,
  split: Split,
  { victim, survivor }: Both,
  narrate: Narrate,
): Promise<Ending> {
  const { sys, host, terminal } = call;
  const words = wordsIn(terminal.language);
  const { ofSurvivor } = connectionsOf(split, victim.node);
  const other = victim.isHere ? survivor : victim;
  const end = sys.now() + syncsWithinMs;
  let told = '';
  let tries = 0;
  let hasMet = false;
  let aloneSince: number | undefined;
  let lastParted = split.foundAt;
  for (; sys.now() < end; await sys.sleep(500)) {
    const seen = await tryToKnow(() => lookAtDrbd(host));
    if (seen.is === 'unknown') continue;
    const resource = seen.value.resources.find(({ name }) => name === split.resource);
    const peer = resource && peerIn(resource, other.node);
    if (resource && peer && isWhole(resource, peer)) {
      narrate('done', [`✓ ${words.bothUpToDate}`], { secondCopy: true });
      return 'well';
    }
    if (peer) requireRightWay(peer, victim, survivor, words);
    hasMet ||= peer?.connection === 'Connected';
    aloneSince = peer?.connection === 'StandAlone' ? (aloneSince ?? sys.now()) : undefined;
    if (aloneSince !== undefined) {
      const partedAt = peer?.splitBrain?.foundAt ?? null;
      const isParted = partedAt !== null && partedAt > (lastParted ?? 0) + 1000;
      const pause = againMs[tries];
      if (isParted && !hasMet && survivor.isHere && pause !== undefined) {
        [lastParted, aloneSince] = [partedAt, undefined];
        tries++;
        await sys.sleep(pause);
        await tryToKnow(() => connectHere(host, ofSurvivor, words));
      } else if (sys.now() - aloneSince >= aloneMs) return partedAgain(split, victim, narrate, words);
    }
    const line = progressOf(peer, words);
    if (line !== told && !call.json) print(2, `${terminal.marks(line)}\n`);
    told = line;
  }
  narrate('halfway', [words.waitingForCopy], { secondCopy: false }, 'halfway');
  return 'halfway';
}

/** The one towards that node; 8.4 has but one, and does not know its name. */
const peerIn = ({ peers }: DrbdResource, node: string): Peer | undefined =>
  peers.length === 1 ? peers[0] : peers.find(({ name }) => name === node);

const isWhole = ({ volumes }: DrbdResource, peer: Peer): boolean =>
  peer.connection === 'Connected' &&
  volumes.length > 0 &&
  [...volumes, ...peer.volumes].every(({ disk }) => disk === 'UpToDate');

/** Throws `CommandError` where the side that was to stay is written over. */
function requireRightWay({ volumes }: Peer, victim: Side, survivor: Side, words: Words): void {
  const wrong = victim.isHere
    ? /^(SyncSource|PausedSyncS|WFBitMapS)$/
    : /^(SyncTarget|PausedSyncT|WFBitMapT)$/;
  if (volumes.some(({ replication }) => wrong.test(replication)))
    throw new CommandError('broken', say(words.wrongWay, { node: survivor.node }), ['tsha status']);
}

function partedAgain(split: Split, victim: Side, narrate: Narrate, words: Words): Ending {
  const lines = [
    say(words.partedAgain, { resource: connectionHere(split) }),
    `  → ${discardLine(split, victim)}`,
  ];
  narrate('halfway', lines.map(harmless), { secondCopy: false }, 'halfway');
  return 'halfway';
}

function progressOf(peer: Peer | undefined, words: Words): string {
  const syncing = peer?.volumes.find(({ replication }) => /^Sync/.test(replication));
  if (!syncing) return peer?.connection ?? words.waitingForCopy;
  const left = syncing.leftSeconds;
  return `${syncing.donePercent ?? '?'} %, ${say(words.left, { left: left === null ? '?' : duration(left) })}`;
}
