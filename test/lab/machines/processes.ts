import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

interface Stat {
  state: string;
  session: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', , , session] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, session: Number(session) };
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.state !== 'Z';
}

function isUml(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).includes('/linux.uml');
  } catch {
    return false;
  }
}

/** The UML processes of a machine: the session its first process leads (6.1 has helpers that outlive it, and keep its disks locked). */
const umlProcesses = (leader: number): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && statOf(pid)?.session === leader && isAlive(pid) && isUml(pid));

/** Pulls the plug: no guest sees it coming. */
export async function killMachine(leader: number): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const left = umlProcesses(leader);
    if (left.length === 0) return;
    for (const pid of left) process.kill(pid, 'SIGKILL');
    await sleep(20);
  }
  throw new Error(`UML process ${leader} does not go away`);
}
