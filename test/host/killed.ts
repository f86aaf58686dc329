import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/**
 * Runs a command in a process group of its own and ends the whole group with SIGKILL after so many milliseconds, as Pacemaker does
 * when an operation's time is up. Returns whether it was still running; by then nothing of the group is left.
 */
export async function runAndKill(
  argv: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  afterMs: number,
): Promise<boolean> {
  const [file, ...args] = argv;
  const child = execa(file, args, {
    env,
    extendEnv: false,
    cwd: '/',
    stdio: 'ignore',
    detached: true,
    reject: false,
  });
  const killed = await Promise.race([child.then(() => false), sleep(afterMs, true)]);
  if (killed) signalGroup(child.pid, 'SIGKILL');
  await child;
  while (signalGroup(child.pid, 0)) await sleep(2);
  return killed;
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) throw new Error('the command did not start');
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** Random numbers that are the same in every run (a linear congruential generator): what failed once fails again. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
