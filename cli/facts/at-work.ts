import type { Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';

export const lockDir = '/run/tsha';
export const lockFileIn = (dir: string): string => `${dir}/at-work`;

/** A command that changes something on this node, by the note that it leaves while it is at work. */
export type AtWork = {
  readonly pid: number;
  /** As it was called: `tsha switch beta`. */
  readonly what: string;
  /** False once its process is gone: it was killed, and nothing of it went on. */
  readonly isAlive: boolean;
};

/** Null when nobody is at work. `4711 123456 tsha switch beta`: pid, begin of the process in ticks since boot, words. */
export async function lookAtWork(host: Host, dir = lockDir): Promise<AtWork | null> {
  const note = await readIfThere(host, lockFileIn(dir));
  if (note === undefined) return null;
  const [pid = '', begin = '', ...what] = note.trim().split(' ');
  const stat = (await readIfThere(host, `/proc/${pid}/stat`)) ?? '';
  const isAlive = begin !== '' && beginIn(stat) === begin;
  return { pid: Number(pid), what: what.join(' '), isAlive };
}

/** Field 22 of proc_pid_stat(5); a pid alone is used again. The name, in parentheses, may hold anything. */
export const beginIn = (stat: string): string => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
