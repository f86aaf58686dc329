import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Writes a file as a whole, or not at all, and leaves nothing beside it. A link of that name is replaced, not followed. */
export function writeWhole(file: string, content: Uint8Array, mode: number): void {
  const draft = `${file}.${process.pid}.tmp`;
  const fd = openSync(draft, 'wx', mode);
  try {
    try {
      for (let done = 0; done < content.length; ) done += writeSync(fd, content, done);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
