import { writeSync } from 'node:fs';

/** How long a reader may take until what is left is given up. */
const longestMs = 5000;

/** Whether the reader has gone: `tsha plan | head` is no error, and what follows needs not be written. */
let isGone = false;
/** To be asked by whoever writes for as long as somebody reads. */
export const hasReader = (): boolean => !isGone;

/** Writes all of it before it returns: a process that ends must not lose what a slow reader has not taken yet. */
export function print(fd: 1 | 2, text: string): void {
  let rest = Buffer.from(text);
  const giveUpAt = Date.now() + longestMs;
  while (rest.length > 0 && !(fd === 1 && isGone) && Date.now() < giveUpAt) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      else {
        isGone = true;
        return;
      }
    }
  }
}

export const printLines = (lines: readonly string[]): void =>
  print(1, lines.map((line) => `${line}\n`).join(''));
