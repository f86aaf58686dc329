import { z } from 'zod';
import { type Host, hostName } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { agreed, requireRoot } from '../commands/change.ts';
import { type Pair, type Volume, volumesOf } from '../configuration/pair.ts';
import { configurationFile, pairFrom, textOf } from '../configuration/read.ts';
import { diskSentence, lookAtDisk } from '../disk/seen.ts';
import { CommandError, type Ending } from '../exit.ts';
import { tshaThere } from '../facts/other-node.ts';
import { print, printLines } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { amount } from '../output/units.ts';
import { say } from '../output/words.ts';
import { drbdFile } from '../plan/files.ts';
import { shellLine } from '../stack.ts';
import { followSync, statesOf, tell } from './follow-sync.ts';
import { answerOfPeer, peerRefuses } from './peer.ts';
import { makeSide, placeIn, requireFresh, run, type Side, sideCommands, undoCommands } from './side.ts';
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
    ? createHere(call, pair, node, side, options)
    : createBoth(call, { pair, node, peer, text, side }, options);
}

async function createHere(
  call: Call,
  pair: Pair,
  node: string,
  side: Side,
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
    const { keep } = await makeSide(call, pair, seen, overwrite);
    keep();
    if (!call.json) tell(call, say(words.sideMade, { node }));
    return 'well';
  });
}

type Both = {
  readonly pair: Pair;
  readonly node: string;
  readonly peer: string;
  /** Of the configuration, for the other node. */
  readonly text: string;
  readonly side: Side;
};

async function createBoth(call: Call, both: Both, options: CreateOptions): Promise<Ending> {
  const { pair, node, peer, text, side } = both;
  const words = drbdWords(call.terminal.language);
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
    ...[...primaryCommands(pair, options.skipSync), ...volumesOf(pair).map(mkfs)].map(
      (argv) => `  ${shellLine(argv)}`,
    ),
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
    const made = await makeSide(call, pair, seen, options.overwrite);
    try {
      tell(call, say(words.sideMade, { node }));
      if (byHand === null) await makeThere(call, peer, text);
      await untilConnected(call, pair, peer, byHand === null ? 120 : 3600);
      await requireNew(call, pair);
    } catch (error) {
      const left = await made.undo();
      const told = left === null ? say(words.takenBack, { node }) : say(words.notTakenBack, { why: left });
      print(2, `${harmless(told)}\n`);
      const commands = [...undoCommands(pair), ['rm', drbdFile(pair)]].map(shellLine).join('; ');
      print(2, `${say(words.leftOnPeer, { peer, commands })}\n`);
      throw error;
    }
    made.keep();
    await becomePrimary(call, pair, node, options.skipSync);
    for (const volume of volumesOf(pair))
      await makeFilesystem(call, volume, options.overwrite.includes(volume.disks[node] ?? ''));
    await makeDirectories(call.host, pair);
    await run(call.host, ['drbdadm', 'secondary', pair.drbd.resource]);
    return followSync(call, pair, words.next);
  });
}

/** For the other node, whose configuration is this one's. */
const hereWords = ['drbd', 'create', '--here', '-c', '-'] as const;

async function makeThere(call: Call, peer: string, text: string): Promise<void> {
  const words = drbdWords(call.terminal.language);
  const made = await tshaThere(call.host, peer, [...hereWords, '-y', '--json'], text);
  if (made.is !== 'answered') throw peerRefuses(call, peer, made.why);
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

async function untilConnected(call: Call, pair: Pair, peer: string, seconds: number): Promise<void> {
  const { host, sys, terminal } = call;
  const words = drbdWords(terminal.language);
  print(1, `  ${say(words.waiting, { peer })}\n`);
  const end = sys.now() + seconds * 1000;
  for (; sys.now() < end; await sys.sleep(1000)) {
    const states = await statesOf(host, 'cstate', pair);
    if (states.length > 0 && states.every((state) => state === 'Connected')) return;
  }
  throw new CommandError('broken', say(words.notConnected, { peer, seconds, resource: pair.drbd.resource }));
}

/** Only where both sides are what create-md has just made of them. */
async function requireNew({ host, terminal }: Call, pair: Pair): Promise<void> {
  const states = await statesOf(host, 'dstate', pair);
  if (states.length === 0 || !states.every((state) => state === 'Inconsistent/Inconsistent'))
    throw new CommandError('broken', say(drbdWords(terminal.language).notNew, { states: states.join(', ') }));
}

function primaryCommands(pair: Pair, skipSync: boolean): readonly Argv[] {
  const { resource } = pair.drbd;
  return skipSync
    ? [
        ...volumesOf(pair).map(
          (_, number): Argv => [
            'drbdadm',
            '--',
            '--clear-bitmap',
            'new-current-uuid',
            `${resource}/${number}`,
          ],
        ),
        ['drbdadm', 'primary', resource],
      ]
    : [['drbdadm', 'primary', '--force', resource]];
}

async function becomePrimary(call: Call, pair: Pair, node: string, skipSync: boolean): Promise<void> {
  const words = drbdWords(call.terminal.language);
  for (const argv of primaryCommands(pair, skipSync)) await run(call.host, argv);
  if (skipSync) tell(call, words.skipped);
  tell(call, say(words.primary, { node }));
}

const mkfs = ({ type, device }: Volume): Argv => [
  `mkfs.${type}`,
  '-q',
  type.startsWith('ext') ? '-F' : '-f', // whether anything is lost by it was decided before
  device,
];

/** On DRBD's device, and only where it holds nothing, or what was named to be lost. */
async function makeFilesystem(call: Call, volume: Volume, mayLose: boolean): Promise<void> {
  const { host, terminal } = call;
  const words = drbdWords(terminal.language);
  const seen = await lookAtDisk(host, volume.device);
  if (seen.is !== 'empty' && !mayLose)
    throw new CommandError(
      'halfway',
      say(words.notEmpty, { sentence: harmless(diskSentence(volume.device, seen, terminal.language)) }),
    );
  await run(host, mkfs(volume), 600_000);
  tell(call, say(words.made, { device: volume.device, type: volume.type }));
}

/** What is exported must be there before the cluster exports it. */
async function makeDirectories(host: Host, { filesystem, exports }: Pair): Promise<void> {
  const { device, type, directory } = filesystem;
  await run(host, ['mount', '-t', type, device, directory]);
  try {
    await run(host, ['mkdir', '-p', ...new Set(exports.map((one) => one.directory))]);
  } finally {
    await run(host, ['umount', directory]);
  }
}
