import type { Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { type Pair, type Volume, volumesOf } from '../configuration/pair.ts';
import { diskSentence, lookAtDisk } from '../disk/seen.ts';
import { CommandError } from '../exit.ts';
import { harmless } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { shellLine } from '../stack.ts';
import { tell } from './follow-sync.ts';
import { run } from './run.ts';
import { endedBy, type Left, printLeft } from './side.ts';
import { drbdWords } from './words.ts';

// The first content, on the node whose content counts: from here on nothing is taken back, and whatever ends it says what is left to do.

export type Wishes = {
  readonly skipSync: boolean;
  /** Disks of this node whose content may be lost. */
  readonly overwrite: readonly string[];
};

/** What is shown before anybody says yes. */
export const contentCommands = (pair: Pair, skipSync: boolean): readonly Argv[] => [
  ...(skipSync ? [...sameCommands(pair), primary(pair)] : [firstPrimary(pair)]),
  ...volumesOf(pair).map(mkfs),
];

const primary = ({ drbd }: Pair): Argv => ['drbdadm', 'primary', drbd.resource];
const firstPrimary = ({ drbd }: Pair): Argv => ['drbdadm', 'primary', '--force', drbd.resource];

const sameCommands = (pair: Pair): readonly Argv[] =>
  volumesOf(pair).map((_, number) => [
    'drbdadm',
    '--',
    '--clear-bitmap',
    'new-current-uuid',
    `${pair.drbd.resource}/${number}`,
  ]);

const mkfs = ({ type, device }: Volume): Argv => [
  `mkfs.${type}`,
  '-q',
  type.startsWith('ext') ? '-F' : '-f', // whether anything is lost by it was decided before
  device,
];

/** As a person is to type it: it refuses where a filesystem is by now. */
const mkfsByHand = ({ type, device }: Volume): Argv => [`mkfs.${type}`, '-q', device];

/** Throws `CommandError` where a filesystem could not be made in the end. */
export async function requireMkfs({ host, terminal }: Call, pair: Pair): Promise<void> {
  for (const type of new Set(volumesOf(pair).map((volume) => volume.type))) {
    const command = `mkfs.${type}`;
    if ((await host.tryRun([command, '-V'], { timeoutMs: 10_000 })).missing)
      throw new CommandError('broken', say(drbdWords(terminal.language).noMkfs, { command }));
  }
}

type Step = {
  readonly argv: Argv;
  readonly timeoutMs?: number;
  /** What a person is to type in its place. */
  readonly byHand?: Argv;
  /** Why it must not be done, or null. */
  readonly whyNot?: () => Promise<string | null>;
  readonly done?: readonly string[];
};

/** The whole way, and the steps on it that others depend on. */
type Course = { readonly steps: readonly Step[] } & {
  readonly [step in 'promote' | 'mount' | 'unmount' | 'demote']: Step;
};

function courseOf(call: Call, pair: Pair, node: string, { skipSync, overwrite }: Wishes): Course {
  const words = drbdWords(call.terminal.language);
  const { device, type, directory } = pair.filesystem;
  const promote: Step = {
    argv: skipSync ? primary(pair) : firstPrimary(pair),
    done: [...(skipSync ? [words.skipped] : []), say(words.primary, { node })],
  };
  const fills = volumesOf(pair).map(
    (volume): Step => ({
      ...{ argv: mkfs(volume), byHand: mkfsByHand(volume), timeoutMs: 600_000 },
      whyNot: () => occupiedBy(call, volume, overwrite.includes(volume.disks[node] ?? '')),
      done: [say(words.made, { device: volume.device, type: volume.type })],
    }),
  );
  const mount: Step = { argv: ['mount', '-t', type, device, directory] };
  // what is exported must be there before the cluster exports it
  const folders: Step = { argv: ['mkdir', '-p', ...new Set(pair.exports.map((one) => one.directory))] };
  const unmount: Step = { argv: ['umount', device] };
  const demote: Step = { argv: ['drbdadm', 'secondary', pair.drbd.resource] };
  const same = skipSync ? sameCommands(pair).map((argv): Step => ({ argv })) : [];
  const steps = [...same, promote, ...fills, mount, folders, unmount, demote];
  return { steps, promote, mount, unmount, demote };
}

/** Promotes, makes the filesystems and what is exported of them, and demotes for the cluster. Throws `CommandError('halfway')`. */
export async function makeContent(call: Call, pair: Pair, node: string, wishes: Wishes): Promise<void> {
  const { host } = call;
  const words = drbdWords(call.terminal.language);
  const course = courseOf(call, pair, node, wishes);
  const { steps } = course;
  let at = 0;
  let occupied: Step | null = null;
  const left = async (): Promise<Left | null> => {
    if (at === steps.length) return null;
    const rest = (await released(host, pair, course, at)).filter((step) => step !== occupied);
    const lines = rest.map(({ argv, byHand = argv }) => shellLine(byHand));
    return rest.length === 0 ? null : { why: say(words.leftToDo, { node }), fix: [...lines, words.next] };
  };
  call.onInterrupt(async () => {
    const what = await left();
    if (what === null) return undefined;
    printLeft(call, what);
    return 'halfway';
  });
  try {
    for (const step of steps) {
      const why = (await step.whyNot?.()) ?? null;
      if (why !== null) {
        occupied = step;
        throw new CommandError('halfway', why);
      }
      await run(host, step.argv, step.timeoutMs);
      for (const sentence of step.done ?? []) tell(call, sentence);
      at++;
    }
  } catch (error) {
    const what = await left();
    at = steps.length;
    if (what !== null) throw endedBy(error, what);
  }
}

/** Leaves the devices to the cluster, as far as that can be, `at` being the step that did not end well. The steps that are left then. */
async function released(
  host: Host,
  pair: Pair,
  { steps, promote, mount, unmount, demote }: Course,
  at: number,
): Promise<readonly Step[]> {
  const begun = (step: Step) => at >= steps.indexOf(step);
  if (!begun(promote)) return steps.slice(at);
  const isUnmounted = begun(mount) && (await host.tryRun(unmount.argv, { timeoutMs: 30_000 })).code === 0;
  // udev may look at what was let go of just now
  const isDemoted = await host.until(
    async () => (await host.tryRun(demote.argv, { timeoutMs: 30_000 })).code === 0,
    3000,
  );
  const isFree = begun(mount) && (isUnmounted || isDemoted);
  const next = isFree ? steps.indexOf(begun(unmount) ? demote : mount) : at;
  const rest = steps.slice(next);
  if (!isDemoted || rest[0] === promote) return rest;
  return rest[0] === demote ? [] : [{ argv: primary(pair) }, ...rest];
}

/** As a sentence; null where a device holds nothing, or what was named to be lost. */
async function occupiedBy(
  { host, terminal }: Call,
  { device }: Volume,
  mayLose: boolean,
): Promise<string | null> {
  const seen = await lookAtDisk(host, device);
  if (seen.is === 'empty' || mayLose) return null;
  const sentence = harmless(diskSentence(device, seen, terminal.language));
  return say(drbdWords(terminal.language).notEmpty, { sentence });
}
