import { z } from 'zod';
import { hostName } from '../../lib/host/host.ts';
import type { Call } from '../command.ts';
import { agreed, requireRoot } from '../commands/change.ts';
import type { Pair } from '../configuration/pair.ts';
import { configurationFile, pairFrom, textOf } from '../configuration/read.ts';
import { CommandError, type Ending } from '../exit.ts';
import { tshaThere } from '../facts/other-node.ts';
import { print, printLines } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { amount } from '../output/units.ts';
import { say } from '../output/words.ts';
import { drbdFile } from '../plan/files.ts';
import { shellLine } from '../stack.ts';
import { contentCommands, makeContent, requireMkfs } from './content.ts';
import { followSync, tell } from './follow-sync.ts';
import { untilBothNew, whoCounts } from './meeting.ts';
import { answerOfPeer, peerRefuses } from './peer.ts';
import {
  endedBy,
  type Left,
  makeSide,
  placeIn,
  printLeft,
  requireFresh,
  type Side,
  sideCommands,
  undoLine,
} from './side.ts';
import { drbdWords } from './words.ts';

export type CreateOptions = {
  readonly config: string | undefined;
  /** Only this node's side: what the other node asks for over ssh, or a person types there. */
  readonly here: boolean;
  readonly skipSync: boolean;
  /** Disks of this node whose content may be lost. */
  readonly overwrite: readonly string[];
  readonly dryRun: boolean;
  readonly yes: boolean;
};

/** A side as the other node tells it. */
const sideAnswer = z.object({
  generation: z.union([z.literal(8), z.literal(9)]),
  disks: z.array(z.object({ path: z.string(), bytes: z.number() })),
});

/**
 * `tsha drbd create`: from two disks that hold nothing to a mirrored one with filesystems on it, this node's content being the one that
 * counts. The other node's side is made over ssh, or by the same command there.
 */
export async function create(call: Call, options: CreateOptions): Promise<Ending> {
  const { host, terminal } = call;
  const file = options.config ?? configurationFile;
  const text = textOf(file, terminal.language);
  const pair = pairFrom(file, text, terminal.language);
  const { node, peer } = placeIn(call, pair, await hostName(host));
  requireRoot(call);
  const side = await requireFresh(call, pair, node, options.overwrite);
  return options.here
    ? createHere(call, { pair, node, peer, text, side }, options)
    : createBoth(call, { pair, node, peer, text, side }, options);
}

type Both = {
  readonly pair: Pair;
  readonly node: string;
  readonly peer: string;
  /** Of the configuration, for the other node. */
  readonly text: string;
  readonly side: Side;
};

async function createHere(
  call: Call,
  { pair, node, peer, side }: Both,
  { overwrite, dryRun, yes }: CreateOptions,
): Promise<Ending> {
  const words = drbdWords(call.terminal.language);
  if (call.json) print(1, `${JSON.stringify(side)}\n`);
  else
    printLines([
      `  ${say(words.willWrite, { file: drbdFile(pair) })}`,
      ...sideCommands(pair, overwrite).map((argv) => `  ${shellLine(argv)}`),
      ...loss(call, node, overwrite),
    ]);
  if (dryRun) return 'well';
  const proposal = {
    ...{ question: words.questionHere, yes, what: 'tsha drbd create --here', plan: side },
    again: () => requireFresh(call, pair, node, overwrite),
  };
  return agreed(call, proposal, async (seen) => {
    const { keep } = await makeSide(call, pair, peer, seen, overwrite);
    keep();
    if (!call.json) tell(call, say(words.sideMade, { node }));
    return 'well';
  });
}

async function createBoth(call: Call, both: Both, options: CreateOptions): Promise<Ending> {
  const { pair, node, peer, text, side } = both;
  const words = drbdWords(call.terminal.language);
  await requireMkfs(call, pair);
  const asked = await tshaThere(call.host, peer, [...hereWords, '-n', '--json'], text);
  if (asked.is === 'refused') throw peerRefuses(call, peer, asked.why);
  if (asked.is === 'answered') requireAlike(call, both, answerOfPeer(call, peer, asked.text, sideAnswer));
  const byHand = asked.is === 'unreachable' ? say(words.byHand, { peer, why: asked.why }) : null;
  if (options.skipSync && (options.overwrite.length > 0 || byHand !== null))
    throw new CommandError('unknown', words.skipOnlyEmpty);
  printLines([
    say(words.willDo, { here: node, peer }),
    `  ${say(words.willWrite, { file: drbdFile(pair) })}`,
    ...sideCommands(pair, options.overwrite).map((argv) => `  ${shellLine(argv)}`),
    say(words.thenHere, { here: node }),
    ...contentCommands(pair, options.skipSync).map((argv) => `  ${shellLine(argv)}`),
    `  ${words.willFollow}`,
    ...loss(call, node, options.overwrite),
    ...(byHand === null ? [] : [call.terminal.marks(`! ${byHand}`)]),
  ]);
  if (options.dryRun) return 'well';
  // the other node looks at its own disks again before it touches them
  const proposal = {
    ...{ question: words.question, yes: options.yes, what: 'tsha drbd create', plan: side },
    again: () => requireFresh(call, pair, node, options.overwrite),
  };
  return agreed(call, proposal, async (seen) => {
    const theirs: Theirs = { is: 'untouched' };
    // registered first, done last: what this side is by then decides
    call.onInterrupt(async () => {
      const left = await leftThere(call, both, theirs);
      if (left === null) return undefined;
      printLeft(call, left);
      return 'halfway';
    });
    const made = await makeSide(call, pair, peer, seen, options.overwrite);
    try {
      tell(call, say(words.sideMade, { node }));
      if (byHand === null) await makeThere(call, peer, text, theirs);
      await untilBothNew(call, pair, peer, byHand === null ? 120 : 3600);
    } catch (error) {
      if (error instanceof CommandError && error.ending === 'halfway') {
        made.keep();
        throw error;
      }
      const left = await made.undo();
      if (left === null) print(2, `${harmless(say(words.takenBack, { node }))}\n`);
      throw endedBy(endedBy(error, left), await leftThere(call, both, theirs));
    }
    made.keep();
    theirs.is = 'untouched';
    await makeContent(call, pair, node, options);
    return followSync(call, pair, words.next);
  });
}

/** What has become of the other side by this command. */
type Theirs = { is: 'untouched' | 'asked for' | 'made' };

/** What of it a person has to take back there; null where this command made none, and where somebody's content counts. */
async function leftThere(call: Call, { pair, peer }: Both, { is }: Theirs): Promise<Left | null> {
  if (is === 'untouched' || (await whoCounts(call, pair, peer)) !== null) return null;
  const words = drbdWords(call.terminal.language);
  const why = say(is === 'made' ? words.madeThere : words.maybeThere, { peer });
  return { why, fix: [`${peer}: ${undoLine(pair)}`] };
}

/** For the other node, whose configuration is this one's. */
const hereWords = ['drbd', 'create', '--here', '-c', '-'] as const;

async function makeThere(call: Call, peer: string, text: string, theirs: Theirs): Promise<void> {
  const words = drbdWords(call.terminal.language);
  theirs.is = 'asked for';
  const made = await tshaThere(call.host, peer, [...hereWords, '-y', '--json'], text);
  if (made.is !== 'answered') {
    if (!made.mayStand) theirs.is = 'untouched';
    throw peerRefuses(call, peer, made.why);
  }
  theirs.is = 'made';
  tell(call, say(words.sideMade, { node: peer }));
}

const loss = ({ terminal }: Call, node: string, overwrite: readonly string[]): readonly string[] =>
  overwrite.length === 0
    ? []
    : [
        terminal.paint.bad(
          say(drbdWords(terminal.language).overwrites, { paths: harmless(overwrite.join(', ')), node }),
        ),
      ];

/** One file for both, and nobody's disk is silently cut. */
function requireAlike(call: Call, { side, peer }: Both, theirs: Side): void {
  const words = drbdWords(call.terminal.language);
  if (side.generation !== theirs.generation)
    throw new CommandError(
      'broken',
      say(words.generations, { own: side.generation, theirs: theirs.generation, peer }),
    );
  for (const [index, { path, bytes }] of side.disks.entries()) {
    const other = theirs.disks[index]?.bytes ?? 0;
    if (other !== bytes)
      throw new CommandError(
        'broken',
        say(words.sizes, { path, own: amount(bytes / 1024), theirs: amount(other / 1024), peer }),
      );
  }
}
