import { mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { wordsIn } from '../output/words.ts';

/** Only root may change a cluster by this command. */
export function requireRoot({ sys, terminal }: Call): void {
  if (sys.uid !== 0) throw new CommandError('unknown', wordsIn(terminal.language).needsRoot);
}

/** Asks on the terminal; where there is none, `-y` has to say it. Throws `CommandError` for anything but a yes. */
export async function approve({ terminal, noInput }: Call, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  const words = wordsIn(terminal.language);
  if (noInput || process.stdin.isTTY !== true) throw new CommandError('unknown', words.sayYes);
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    dialogue.question(`${question} [y/N] `, resolve);
    dialogue.once('close', () => resolve(''));
  });
  dialogue.close();
  if (!/^(y|yes|是)$/i.test(answer.trim())) throw new CommandError('broken', words.notApproved);
}

const lockDir = '/run/tsha';
const lockFile = `${lockDir}/at-work`;

/** One change at a time on this node: whoever comes second is told who is at work. A lock whose process is gone does not count. */
export async function atWork(call: Call, what: string, work: () => Promise<Ending>): Promise<Ending> {
  mkdirSync(lockDir, { recursive: true, mode: 0o755 });
  const isMine = take(`${process.pid} ${beginOf(process.pid)} tsha ${what}\n`);
  if (!isMine) {
    const holder = holderOf();
    if (holder) throw new CommandError('broken', `${wordsIn(call.terminal.language).atWork}: ${holder}`);
    rmSync(lockFile, { force: true });
    if (!take(`${process.pid} ${beginOf(process.pid)} tsha ${what}\n`))
      throw new CommandError('broken', `${wordsIn(call.terminal.language).atWork}: ${holderOf() ?? '?'}`);
  }
  const release = async () => rmSync(lockFile, { force: true });
  call.onInterrupt(release);
  try {
    return await work();
  } finally {
    await release();
  }
}

function take(text: string): boolean {
  try {
    writeSync(openSync(lockFile, 'wx', 0o644), text);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new CommandError('broken', `cannot write ${lockFile}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Since when a process runs, in ticks since boot: a pid alone is used again. */
function beginOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function holderOf(): string | undefined {
  try {
    const [pid = '', begin = '', ...what] = readFileSync(lockFile, 'utf8').trim().split(' ');
    return begin !== '' && beginOf(Number(pid)) === begin ? `${what.join(' ')} (pid ${pid})` : undefined;
  } catch {
    return undefined;
  }
}
