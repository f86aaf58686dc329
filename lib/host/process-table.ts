import type { Host } from './host.ts';
import { listIfThere, readIfThere } from './local-files.ts';
import { type ProcessIdentity, parseStat } from './sys/process-stat.ts';

export type { ProcessIdentity };

/** When a process began, in ticks since boot; NaN, which is no process's, for one that is gone. */
export const beginOf = async (host: Host, pid: number): Promise<number> =>
  parseStat(await host.sys.read(`/proc/${pid}/stat`).catch(() => ''))?.startTime ?? Number.NaN;

/** `undefined` for a process that is gone or only waits to be reaped. */
export async function identityOf(host: Host, pid: number): Promise<ProcessIdentity | undefined> {
  const stat = parseStat((await readIfThere(host, `/proc/${pid}/stat`)) ?? '');
  return stat && stat.state !== 'Z' && stat.state !== 'X' ? { pid, startTime: stat.startTime } : undefined;
}

export const isStillThere = async (host: Host, { pid, startTime }: ProcessIdentity): Promise<boolean> =>
  (await identityOf(host, pid))?.startTime === startTime;

/** Every process of this pid namespace, threads not counted. One may be gone by the time it is looked at. */
export const processIds = async (host: Host): Promise<readonly number[]> =>
  (await listIfThere(host, '/proc')).filter((name) => /^\d+$/.test(name)).map(Number);

/** What a process calls itself (comm, at most 15 bytes); `undefined` for one that is gone. */
export const processName = async (host: Host, pid: number): Promise<string | undefined> =>
  (await readIfThere(host, `/proc/${pid}/comm`))?.trimEnd();
