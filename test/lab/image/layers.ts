import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';

/**
 * Shows `below` (top first) and what is written on top of it as one folder. What is written ends up in `above`; without one it is
 * thrown away.
 */
export async function withLayers<T>(
  below: string[],
  above: string | undefined,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(join(above ? `${above}.` : join(tmpdir(), 'tsha-lab-')));
  const [upper, work, root] = [above ?? join(scratch, 'upper'), join(scratch, 'work'), join(scratch, 'root')];
  for (const folder of [upper, work, root]) await fs.ensureDir(folder);
  await execa('mount', [
    ...['-t', 'overlay', 'overlay'],
    ...['-o', `lowerdir=${below.join(':')},upperdir=${upper},workdir=${work}`],
    root,
  ]);
  try {
    return await use(root);
  } finally {
    await execa('umount', [root]);
    await fs.remove(scratch);
  }
}
