import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import { kernelVersion } from '../../lib/host/drbd/version.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { type Pair, volumesOf } from '../configuration/pair.ts';
import { diskSentence, lookAtDisk } from '../disk/seen.ts';
import { CommandError } from '../exit.ts';
import { lookAtDrbd } from '../facts/drbd.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { type DrbdGeneration, drbdFile, drbdResource } from '../plan/files.ts';
import { shellLine } from '../stack.ts';
import { whoCounts } from './meeting.ts';
import { run } from './run.ts';
import { drbdWords } from './words.ts';

// What one node does for itself: its file, its meta-data, its devices.

/** Of a node whose disks may be given to DRBD. */
export type Side = {
  readonly generation: DrbdGeneration;
  /** In the order of the volumes; bytes. */
  readonly disks: readonly { readonly path: string; readonly bytes: number }[];
};

/** This node and the other one, by their names. Throws `CommandError` on a machine that the file does not name. */
export function placeIn(
  { terminal }: Call,
  pair: Pair,
  name: string,
): { readonly node: string; readonly peer: string } {
  const names = pair.nodes.map((one) => one.name);
  if (!names.includes(name))
    throw new CommandError(
      'unknown',
      say(drbdWords(terminal.language).notANode, { node: harmless(name), nodes: names.join(', ') }),
    );
  return { node: name, peer: names.find((one) => one !== name) ?? '' };
}

/** Of the DRBD that is loaded here, or would be; null where none is installed. */
export async function generationHere(host: Host): Promise<DrbdGeneration | null> {
  try {
    const [major] = await kernelVersion(host);
    return major >= 9 ? 9 : 8;
  } catch (error) {
    if (error instanceof Failure && error.outcome === 'notInstalled') return null;
    throw error;
  }
}

/**
 * Whether this node's side can be made: no such resource, no other file, and disks that hold nothing, or that the caller has named to be
 * overwritten. Throws `CommandError('broken')` with what was found; changes nothing.
 */
export async function requireFresh(
  { host, terminal }: Call,
  pair: Pair,
  node: string,
  overwrite: readonly string[],
): Promise<Side> {
  const words = drbdWords(terminal.language);
  const { resource } = pair.drbd;
  await host.tryRun(['modprobe', 'drbd'], { timeoutMs: 30_000 });
  const generation = await generationHere(host);
  if (generation === null) throw new CommandError('broken', words.noModule, ['modinfo drbd']);
  if ((await lookAtDrbd(host)).resources.some(({ name }) => name === resource))
    throw new CommandError('broken', say(words.isUp, { resource }), ['tsha status']);
  const there = await readIfThere(host, drbdFile(pair));
  if (there !== undefined && there !== drbdResource(pair, generation))
    throw new CommandError('broken', say(words.otherFile, { file: drbdFile(pair) }));
  const paths = volumesOf(pair).map(({ disks }) => disks[node] ?? '');
  for (const path of overwrite)
    if (!paths.includes(path))
      throw new CommandError('unknown', say(words.overwriteUnknown, { path: harmless(path) }));
  const disks = [];
  for (const path of paths) {
    const seen = await lookAtDisk(host, path);
    const sentence = harmless(diskSentence(path, seen, terminal.language));
    const mayLose = (seen.is === 'marked' || seen.is === 'written') && overwrite.includes(path);
    if (seen.is !== 'empty' && !mayLose) {
      const isContent = seen.is === 'marked' || seen.is === 'written';
      throw new CommandError(
        'broken',
        say(isContent ? words.diskRefused : words.diskGone, { sentence, path: harmless(path) }),
      );
    }
    disks.push({ path, bytes: await sizeOf(host, path) });
  }
  return { generation, disks };
}

export async function sizeOf(host: Host, path: string): Promise<number> {
  const argv: Argv = ['blockdev', '--getsize64', path];
  const answer = await host.tryRun(argv, { timeoutMs: 10_000 });
  if (answer.code !== 0) throw commandFailure(argv, answer);
  return Number(answer.stdout.trim());
}

/** What makes it, for those who want to see it before. */
export const sideCommands = (pair: Pair, overwrite: readonly string[]): readonly Argv[] => [
  ...(overwrite.length > 0 ? [['wipefs', '--all', ...overwrite] as const] : []),
  // without --force: what DRBD itself finds there is a reason to stop
  ['drbdadm', 'create-md', pair.drbd.resource],
  ['drbdadm', 'up', pair.drbd.resource],
  ['mkdir', '-p', ...volumesOf(pair).map(({ directory }) => directory)],
];

/** What takes it back while nobody's content counts yet. */
const undoCommands = ({ drbd: { resource } }: Pair): readonly Argv[] => [
  ['drbdadm', 'down', resource],
  ['drbdadm', '--', '--force', 'wipe-md', resource],
];

/** The same as one line, of which nothing is done where what comes before it fails. */
export const undoLine = (pair: Pair): string =>
  [...undoCommands(pair), ['rm', drbdFile(pair)]].map(shellLine).join(' && ');

/** What was not taken back: why, and what leads on. */
export type Left = { readonly why: string; readonly fix: readonly string[] };

/** What can be taken back until somebody's content counts. */
export type Made = {
  /** Down, without meta-data, and without the file where it was made by us; null then. All of it stays where somebody's content counts by now. */
  readonly undo: () => Promise<Left | null>;
  /** From here on a signal takes nothing back. */
  readonly keep: () => void;
};

/** The file, the meta-data, the devices; all of it or, where a step fails or a signal comes, none. */
export async function makeSide(
  call: Call,
  pair: Pair,
  peer: string,
  side: Side,
  overwrite: readonly string[],
): Promise<Made> {
  const { host, terminal } = call;
  const words = drbdWords(terminal.language);
  const file = drbdFile(pair);
  const isNew = writeNew(file, drbdResource(pair, side.generation));
  let isSettled = false;
  let hasMetaData = false;
  const undo = async (): Promise<Left | null> => {
    const counted = hasMetaData ? await whoCounts(call, pair, peer) : null;
    if (counted !== null) return { why: counted, fix: ['tsha status'] };
    // what create-md refused to write over is somebody's
    for (const argv of hasMetaData ? undoCommands(pair) : []) {
      const output = await host.tryRun(argv, { timeoutMs: 30_000 });
      if (output.code === 0) continue;
      // without its file drbdadm could not take down what is still up
      const why = harmless(commandFailure(argv, output).message);
      return { why: say(words.notTakenBack, { why }), fix: [undoLine(pair)] };
    }
    if (isNew) rmSync(file, { force: true });
    isSettled = true;
    return null;
  };
  call.onInterrupt(async () => {
    const left = isSettled ? null : await undo();
    if (left === null) return undefined;
    printLeft(call, left);
    return 'halfway';
  });
  try {
    for (const argv of sideCommands(pair, overwrite)) {
      await run(host, argv);
      hasMetaData ||= argv.includes('create-md');
    }
  } catch (error) {
    throw endedBy(error, await undo());
  }
  return {
    undo,
    keep: () => {
      isSettled = true;
    },
  };
}

/** `error`, half-way where something is left. */
export function endedBy(error: unknown, left: Left | null): unknown {
  if (left === null) return error;
  const { message, fix } =
    error instanceof CommandError
      ? error
      : { message: error instanceof Error ? error.message : wordsOf(error), fix: [] };
  return new CommandError('halfway', `${message}; ${left.why}`, [...fix, ...left.fix]);
}

/** To whoever has interrupted it. */
export const printLeft = ({ terminal }: Call, { why, fix }: Left): void =>
  print(2, terminal.marks([why, ...fix.map((line) => `  → ${line}`), ''].join('\n')));

/** As a whole, and never over a file; false where this very file is there. */
function writeNew(file: string, text: string): boolean {
  const draft = `${file}.${process.pid}.new`;
  mkdirSync('/etc/drbd.d', { recursive: true });
  try {
    writeFileSync(draft, text, { mode: 0o644 });
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new CommandError('broken', `cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
  } finally {
    rmSync(draft, { force: true });
  }
}
