import { readdirSync } from 'node:fs';
import { isItself, type ProcessIdentity, parseStat, readQuietly, signalProcess } from './process-stat.ts';

// Synchronous on purpose: this runs in deadline and signal handlers, right before the process ends.

/** A child as whoever waits for it sees it. */
export type Watched = {
  /** What it waits for, to a person. */
  describe(): string;
  /** SIGKILL to it and all its descendants. */
  kill(): void;
};

/** Of a child that was begun just now: its number is its own until the event loop learns of its end. */
export function watched(pid: number): Watched {
  const itself = { pid, startTime: parseStat(readQuietly(`/proc/${pid}/stat`))?.startTime ?? Number.NaN };
  return { describe: () => describeProcess(itself), kill: () => killTree(itself) };
}

/**
 * What a process waits for, e.g. `pid 4711 in state D, waiting in nfs4_wait_clnt_recover`. One that only waits for its children says
 * nothing: then it is told of the child that really waits, with its command, `pid 4712 (drbdsetup down data) in state D, …`. One that
 * has ended waits for nothing: somebody that it left behind has its output.
 */
function describeProcess(identity: ProcessIdentity): string {
  const { pid } = identity;
  if (!isItself(identity)) return `pid ${pid} has ended, and somebody else keeps its output open`;
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
    (children.get(one) ?? []).map(({ pid }) => pid).filter((child) => !/^(?:Z|X|gone)$/.test(stateOf(child)));
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

/**
 * SIGKILL to a process and all its descendants: they share our process group, which must survive them. One that has ended has none:
 * whom it left behind belongs to nobody, and its number may be somebody else's.
 */
function killTree(root: ProcessIdentity): void {
  if (!isItself(root)) return;
  const children = childrenByParent();
  const doomed = [root];
  for (const { pid } of doomed) doomed.push(...(children.get(pid) ?? []));
  for (const one of doomed) signalProcess(one, 'SIGKILL');
}

function childrenByParent(): ReadonlyMap<number, readonly ProcessIdentity[]> {
  const children = new Map<number, ProcessIdentity[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = parseStat(readQuietly(`/proc/${entry}/stat`));
    if (!stat) continue;
    const siblings = children.get(stat.parent) ?? [];
    siblings.push({ pid: Number(entry), startTime: stat.startTime });
    children.set(stat.parent, siblings);
  }
  return children;
}
