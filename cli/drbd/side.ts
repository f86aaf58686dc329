import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { procVersion } from '../../lib/host/drbd/version.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { type Pair, volumesOf } from '../configuration/pair.ts';
import { diskSentence, lookAtDisk } from '../disk/seen.ts';
import { CommandError } from '../exit.ts';
import { lookAtDrbd } from '../facts/drbd.ts';
import type { Left } from '../interrupt.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { type DrbdGeneration, drbdFile, drbdResource } from '../plan/files.ts';
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

/** Of the DRBD that is loaded here; the kernel's own, 8.4, where none is. */
export async function generationHere(host: Host): Promise<DrbdGeneration> {
  const [major] = procVersion((await readIfThere(host, '/proc/drbd')) ?? '') ?? [8];
  return major >= 9 ? 9 : 8;
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
export const undoCommands = ({ drbd: { resource } }: Pair): readonly Argv[] => [
  ['drbdadm', 'down', resource],
  ['drbdadm', '--', '--force', 'wipe-md', resource],
];

/** What can be taken back until somebody's content counts. */
export type Made = {
  /** Down, without meta-data, and without the file where it was made by us. What could not be done, and the file stays then; else null. */
  readonly undo: () => Promise<string | null>;
  /** From here on a signal takes nothing back. */
  readonly keep: () => void;
};

/** The file, the meta-data, the devices; all of it or, where a step fails or a signal comes, none. */
export async function makeSide(
  call: Call,
  pair: Pair,
  side: Side,
  overwrite: readonly string[],
): Promise<Made> {
  const { host } = call;
  const words = drbdWords(call.terminal.language);
  const file = drbdFile(pair);
  const isNew = writeNew(file, drbdResource(pair, side.generation));
  let isKept = false;
  let hasMetaData = false;
  const undo = async (): Promise<string | null> => {
    if (isKept) return null;
    // what create-md refused to write over is somebody's
    for (const argv of hasMetaData ? undoCommands(pair) : []) {
      const output = await host.tryRun(argv, { timeoutMs: 30_000 });
      // without its file drbdadm could not take down what is still up
      if (output.code !== 0) return commandFailure(argv, output).message;
    }
    if (isNew) rmSync(file, { force: true });
    return null;
  };
  const undoAndTell = async (): Promise<Left | undefined> => {
    const left = await undo();
    if (left === null) return undefined;
    print(2, `${harmless(say(words.notTakenBack, { why: left }))}\n`);
    return 'halfway';
  };
  call.onInterrupt(undoAndTell);
  try {
    for (const argv of sideCommands(pair, overwrite)) {
      await run(host, argv);
      hasMetaData ||= argv.includes('create-md');
    }
  } catch (error) {
    await undoAndTell();
    throw error;
  }
  return {
    undo,
    keep: () => {
      isKept = true;
    },
  };
}

export async function run(host: Host, argv: Argv, timeoutMs = 120_000): Promise<string> {
  const answer = await host.tryRun(argv, { timeoutMs });
  if (answer.code !== 0) throw new CommandError('broken', commandFailure(argv, answer).message);
  return answer.stdout;
}

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
