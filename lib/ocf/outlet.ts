import { constants, fstatSync, openSync, writeSync } from 'node:fs';

// What an agent says must never keep it from ending: a write to a pipe that is full waits in the kernel for as long as nobody reads,
// past every deadline of this process. So nothing is written but through descriptors that do not block.

/** Writes all of a text, or gives up what nobody takes. Never throws. */
export type Outlet = (text: string) => void;

/**
 * How long a reader may take nothing. With the time for `logger` less than what stays between an action's own deadline and
 * Pacemaker's SIGKILL.
 */
const patienceMs = 300;
const pauseMs = 5;

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;

/** Standard output or error, as the caller left it. */
export const standard = (fd: 1 | 2): Outlet => outlet(() => unblocked(fd));

/** The end of a file; one that cannot be written is no reason to fail a resource. A FIFO that nobody reads is none, either. */
export const appending = (path: string): Outlet =>
  outlet(() => openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK, 0o640));

/**
 * The same pipe or terminal by another descriptor: to set O_NONBLOCK on the one that was inherited would set it for everybody who has it.
 * A socket cannot be opened anew: the runtime's own stream sets it there, and costs some milliseconds. A regular file never waits, and
 * would be written from its beginning.
 */
function unblocked(fd: 1 | 2): number {
  if (fstatSync(fd).isFile()) return fd;
  try {
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NOCTTY | O_NONBLOCK);
  } catch {
    void process[fd === 1 ? 'stdout' : 'stderr'];
    return fd;
  }
}

function outlet(open: () => number): Outlet {
  let fd: number | undefined;
  let patience = patienceMs;
  return (text) => {
    try {
      fd ??= open();
      for (let rest = Buffer.from(text); rest.length > 0; ) {
        const taken = written(fd, rest);
        if (taken === 0 && patience <= 0) return;
        rest = rest.subarray(taken);
        patience = taken > 0 ? patienceMs : patience - pauseMs;
        if (taken === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
      }
    } catch {
      // closed, or nobody is there
    }
  };
}

/** How many bytes were taken; none by a pipe that is full. */
function written(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}
