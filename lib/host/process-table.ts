import type { Host } from './host.ts';
import { parseStat } from './sys/process-tree.ts';

/** A process by what tells it from a later one with the same number; the start time is in ticks since boot. */
export type ProcessIdentity = { readonly pid: number; readonly startTime: number };

/** `undefined` for a process that is gone or only waits to be reaped. */
export async function identityOf(host: Host, pid: number): Promise<ProcessIdentity | undefined> {
  const stat = parseStat(await host.sys.read(`/proc/${pid}/stat`).catch(() => ''));
  return stat && stat.state !== 'Z' && stat.state !== 'X' ? { pid, startTime: stat.startTime } : undefined;
}

export const isStillThere = async (host: Host, { pid, startTime }: ProcessIdentity): Promise<boolean> =>
  (await identityOf(host, pid))?.startTime === startTime;
