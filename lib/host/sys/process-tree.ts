import { readdirSync, readFileSync } from 'node:fs';

// Synchronous on purpose: this runs in deadline and signal handlers, right before the process ends.

/**
 * What a process waits for, e.g. `pid 4711 in state D, waiting in nfs4_wait_clnt_recover`. One that only waits for its children says
 * nothing: then it is told of the child that really waits, with its command, `pid 4712 (drbdsetup down data) in state D, …`.
 */
export function describeProcess(pid: number): string {
  const waiting = whoWaits(pid);
  const command = waiting === pid ? '' : ` (${commandOf(waiting)})`;
  const state = parseStat(readQuietly(`/proc/${waiting}/stat`))?.state ?? 'gone';
  const place = kernelFunction(waiting);
  return `pid ${waiting}${command} in state ${state}${place && `, waiting in ${place}`}`;
}

/** Of a process and its descendants the one in uninterruptible sleep, else the youngest that has no living child itself. */
function whoWaits(pid: number): number {
  const children = childrenByParent();
  const stateOf = (one: number) => parseStat(readQuietly(`/proc/${one}/stat`))?.state ?? 'gone';
  const living = (one: number) =>
    (children.get(one) ?? []).filter((child) => !/^(?:Z|X|gone)$/.test(stateOf(child)));
  const family = [pid];
  for (const one of family) family.push(...living(one));
  const leaves = family.filter((one) => living(one).length === 0);
  return family.find((one) => stateOf(one) === 'D') ?? leaves.at(-1) ?? pid;
}

const longestCommand = 60;

function commandOf(pid: number): string {
  const argv = readQuietly(`/proc/${pid}/cmdline`).split('\0').filter(Boolean).join(' ');
  return (argv || readQuietly(`/proc/${pid}/comm`).trim()).slice(0, longestCommand);
}

/** By name; some kernels tell only root's `stack` what `wchan` keeps to itself. `[<0>] hrtimer_nanosleep+0xb5/0x130` */
function kernelFunction(pid: number): string {
  const name = readQuietly(`/proc/${pid}/wchan`).trim();
  if (name !== '' && name !== '0') return name;
  return /^\[<\w+>\] (\w+)/.exec(readQuietly(`/proc/${pid}/stack`))?.[1] ?? '';
}

/** SIGKILL to a process and all its descendants: they share our process group, which must survive them. */
export function killTree(pid: number): void {
  const children = childrenByParent();
  const doomed = [pid];
  for (const one of doomed) doomed.push(...(children.get(one) ?? []));
  for (const one of doomed) {
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // already gone
    }
  }
}

function childrenByParent(): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = parseStat(readQuietly(`/proc/${entry}/stat`));
    if (!stat) continue;
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(entry)]);
  }
  return children;
}

export type ProcessStat = { readonly state: string; readonly parent: number; readonly startTime: number };

/**
 * proc_pid_stat(5), `undefined` for a process that is gone:
 *
 *     4711 (rpc.statd) S 1 4711 4711 0 -1 4194560 … 18742 …
 *      (1) (2)        (3)(4)                        (22)
 *
 * (1) pid, (2) name, (3) state, (4) parent, (22) when it began, in clock ticks since boot. The name may hold anything, even `) `: fields
 * count from the last one.
 */
export function parseStat(text: string): ProcessStat | undefined {
  const end = text.lastIndexOf(')');
  if (end < 0) return undefined;
  const fields = text.slice(end + 2).split(' ');
  const [state, parent] = fields;
  const startTime = fields[19];
  if (!state || !parent || !startTime) return undefined;
  return { state, parent: Number(parent), startTime: Number(startTime) };
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
