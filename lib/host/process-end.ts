import type { Host } from './host.ts';
import { readIfThere } from './local-files.ts';
import { type ProcessIdentity, parseStat } from './sys/process-stat.ts';

/** PF_EXITING, among the flags of proc_pid_stat(5): it runs nothing of its own any more; the kernel closes what it had. */
const exiting = 0x0000_0004;

/** Whether a process of one thread can still do anything: not one that the kernel is taking apart, however long that lasts. */
export async function isAtWork(host: Host, { pid, startTime }: ProcessIdentity): Promise<boolean> {
  const text = (await readIfThere(host, `/proc/${pid}/stat`)) ?? '';
  const stat = parseStat(text);
  const flags = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[6]);
  return stat?.startTime === startTime && (flags & exiting) === 0 && stat.state !== 'Z' && stat.state !== 'X';
}
