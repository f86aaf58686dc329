import { readFileSync } from 'node:fs';

/** A process by what tells it from a later one with the same number; the start time is in ticks since boot. */
export type ProcessIdentity = { readonly pid: number; readonly startTime: number };

/** Whether the number still belongs to it; a zombie keeps its own. */
export const isItself = ({ pid, startTime }: ProcessIdentity): boolean =>
  parseStat(readQuietly(`/proc/${pid}/stat`))?.startTime === startTime;

/** Never to a later process with the same number. False when there is no such process. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  try {
    return isItself(identity) && process.kill(identity.pid, signal);
  } catch {
    return false; // gone meanwhile
  }
}

export type ProcessStat = {
  readonly state: string;
  readonly parent: number;
  /** PF_KTHREAD: no user can start one, whatever he calls a process. */
  readonly isKernelThread: boolean;
  readonly startTime: number;
};

const kernelThread = 0x0020_0000;

/**
 * proc_pid_stat(5), `undefined` for a process that is gone:
 *
 *     4711 (rpc.statd) S 1 4711 4711 0 -1 4194560 … 18742 …
 *      (1) (2)        (3)(4)             (9)        (22)
 *
 * (1) pid, (2) name, (3) state, (4) parent, (9) flags, (22) when it began, in clock ticks since boot. The name may hold anything, even `) `: fields
 * count from the last one.
 */
export function parseStat(text: string): ProcessStat | undefined {
  const end = text.lastIndexOf(')');
  if (end < 0) return undefined;
  const fields = text.slice(end + 2).split(' ');
  const [state, parent] = fields;
  const [flags, startTime] = [fields[6], fields[19]];
  if (!state || !parent || !startTime) return undefined;
  const isKernelThread = (Number(flags) & kernelThread) !== 0;
  return { state, parent: Number(parent), isKernelThread, startTime: Number(startTime) };
}

export function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
