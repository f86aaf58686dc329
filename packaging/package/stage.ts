import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { File } from '../files.ts';

/** Lays files below a folder, as they will lie below / later. */
export async function stage(files: readonly File[], root: string): Promise<void> {
  for (const { path, mode, content } of files) {
    const to = join(root, path);
    await mkdir(dirname(to), { recursive: true, mode: 0o755 });
    await writeFile(to, await content(), { mode });
  }
}

export const textFile = (path: string, text: string | Buffer): File => ({
  path,
  mode: 0o644,
  content: async () => Buffer.from(text),
});
