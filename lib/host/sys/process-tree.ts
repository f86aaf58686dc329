import { readdirSync, readFileSync } from 'node:fs';

// Synchronous on purpose: this runs in deadline and signal handlers, right before the process ends.

/** What a process is doing, e.g. `pid 4711 in state D, waiting in nfs4_wait_clnt_recover`. */
export function describeProcess(pid: number): string {
  const state = parseStat(readQuietly(`/proc/${pid}/stat`))?.state ?? 'gone';
  const waitingIn = readQuietly(`/proc/${pid}/wchan`).trim();
  const wait = waitingIn && waitingIn !== '0' ? `, waiting in ${waitingIn}` : '';
  return `pid ${pid} in state ${state}${wait}`;
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

/** proc_pid_stat(5). The name in parentheses may hold anything, even `) `: fields count from the last one. */
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
