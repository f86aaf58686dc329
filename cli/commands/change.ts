import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { beginIn, lockFileIn } from '../facts/at-work.ts';
import { wordsIn } from '../output/words.ts';

/** Only root may change a cluster by this command. */
export function requireRoot({ sys, terminal }: Call): void {
  if (sys.uid !== 0) throw new CommandError('unknown', wordsIn(terminal.language).needsRoot);
}

/** What is to be done, as a person is asked for it. */
export type Proposal<Plan> = {
  /** Null where nothing needs to be asked. */
  readonly question: string | null;
  readonly yes: boolean;
  /** As the command was called, for whoever comes second. */
  readonly what: string;
  readonly plan: Plan;
  /** Plans once more; throws where it may not be done. */
  readonly again: () => Promise<Plan>;
  /** What of a plan must still be so; all of it unless given. */
  readonly keyOf?: (plan: Plan) => unknown;
};

/**
 * Asks, and carries out. A question may stand for hours: what was planned before it is planned again after it, and nothing is done where
 * something else came of it. One change at a time on this node.
 */
export async function agreed<Plan>(
  call: Call,
  { question, yes, what, plan, again, keyOf = (whole) => whole }: Proposal<Plan>,
  work: (plan: Plan) => Promise<Ending>,
): Promise<Ending> {
  const isAsked = question !== null && !yes;
  if (isAsked) await approve(call, question);
  return atWork(call, what, async () => {
    if (!isAsked) return work(plan);
    const now = await again();
    if (isDeepStrictEqual(keyOf(now), keyOf(plan))) return work(now);
    throw new CommandError('broken', wordsIn(call.terminal.language).notSoAnyMore, [what]);
  });
}

/** Asks on the terminal; where there is none, `-y` has to say it. Throws `CommandError` for anything but a yes. */
async function approve({ terminal, ask }: Call, question: string): Promise<void> {
  const words = wordsIn(terminal.language);
  if (ask === null) throw new CommandError('unknown', words.sayYes);
  const answer = await ask(`${question} [y/N] `);
  if (!/^(y|yes|是)$/i.test(answer.trim())) throw new CommandError('broken', words.notApproved);
}

/**
 * One change at a time on this node: whoever comes second is told who is at work. A note whose process is gone does not count: `status`
 * tells of it until the next change begins. `what` is the command as it was called.
 */
export async function atWork<Result>(call: Call, what: string, work: () => Promise<Result>): Promise<Result> {
  const file = lockFileIn(call.lockDir);
  const made = mkdirSync(call.lockDir, { recursive: true, mode: 0o755 });
  if (made) chmodSync(call.lockDir, 0o755); // whatever umask this command was called with: `status` reads it as anybody
  const holder = take(file, `${process.pid} ${beginOf(process.pid)} ${what}\n`);
  if (holder)
    throw new CommandError('broken', `${wordsIn(call.terminal.language).atWork}: ${holder}`, ['tsha status']);
  const release = async () => rmSync(file, { force: true });
  call.onInterrupt(release);
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Takes the note, as a whole or not at all; otherwise who has it. Whatever a process that is gone has left is replaced. */
function take(file: string, text: string): string | undefined {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, text);
    chmodSync(draft, 0o644);
    for (let tries = 0; tries < 3; tries++) {
      if (linked(draft, file)) return undefined;
      const left = textOf(file);
      const holder = holderIn(left);
      if (holder) return holder;
      sweep(file, left);
    }
    return '?';
  } catch (error) {
    throw new CommandError('broken', `cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
  } finally {
    rmSync(draft, { force: true });
  }
}

function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

const beginOf = (pid: number): string => beginIn(textOf(`/proc/${pid}/stat`));

/** Takes away what was left there, and nothing that somebody wrote in the meantime. */
function sweep(file: string, left: string): void {
  const aside = `${file}.${process.pid}.old`;
  try {
    renameSync(file, aside);
    if (textOf(aside) !== left) linked(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function holderIn(note: string): string | undefined {
  const [pid = '', begin = '', ...what] = note.trim().split(' ');
  return begin !== '' && beginOf(Number(pid)) === begin ? `${what.join(' ')} (pid ${pid})` : undefined;
}
