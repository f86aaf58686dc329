import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { killTree } from './process-tree.ts';

/** More than any tool of this field prints; one that does not stop must not fill the memory. */
const longestOutput = 16 * 1024 * 1024;

export type Finished = {
  /** Exit status; 128 + n when signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

/**
 * Resolves when the process has ended and nobody holds its pipes any more. Rejects with the system's error when it cannot run.
 * A process that prints more than 16 Mi characters is killed.
 */
export function finished(child: ChildProcess, input?: string | Uint8Array): Promise<Finished> {
  const tooMuch = () => child.pid !== undefined && killTree(child.pid);
  const stdout = gathered(child.stdout, tooMuch);
  const stderr = gathered(child.stderr, tooMuch);
  child.stdin?.on('error', () => {}); // it may end without reading all
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({
        code: code ?? 128 + (signal ? constants.signals[signal] : 0),
        stdout: stdout(),
        stderr: stderr(),
      }),
    );
  });
}

/** No longer waits for a process that cannot be ended: one in state D dies when the kernel lets it. */
export function abandon(child: ChildProcess): void {
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.destroy();
}

function gathered(pipe: Readable | null, tooMuch: () => void): () => string {
  let text = '';
  pipe?.setEncoding('utf8').on('data', (piece: string) => {
    if (text.length + piece.length > longestOutput) tooMuch();
    else text += piece;
  });
  pipe?.on('error', () => {});
  return () => text;
}
