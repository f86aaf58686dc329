import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '../../packaging/products.ts';
import { unpackFrom } from '../lab/image/download.ts';

/** A release of the stock agents: where its agents and the functions they read are. */
export type Stock = { readonly version: string; readonly agents: string; readonly functions: string };

const below = (root: string, version: string): Stock => ({
  version,
  agents: join(root, 'usr/lib/ocf/resource.d/heartbeat'),
  functions: join(root, 'usr/lib/ocf/lib/heartbeat'),
});

/** The distribution's own: Debian 12's is 4.12. */
export const installedStock: Stock = below('/', 'installed');

/** The release whose answers the tests know; Debian unstable goes on to others. */
const known = '4.18';
const home = join(projectFolder, '.cache/host', `resource-agents-${known}`);

/**
 * 4.18 of Debian unstable, unpacked beside the project and fetched once: defects that came after 4.12 are shown on it. `undefined`,
 * and a line why, where it cannot be had.
 */
export async function laterStock(): Promise<Stock | undefined> {
  try {
    if (!existsSync(home)) await fetchLater();
    const version = (await readFile(join(home, 'version'), 'utf8')).trim();
    if (version.startsWith(known)) return below(home, known);
    console.warn(`skipped: what ${known} of the stock agents does wrong. Debian unstable has ${version} now`);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : error;
    console.warn(`skipped: what ${known} of the stock agents does wrong. It cannot be fetched: ${why}`);
  }
  return undefined;
}

async function fetchLater(): Promise<void> {
  await mkdir(join(home, '..'), { recursive: true });
  const draft = await mkdtemp(`${home}-`); // test files run at the same time
  try {
    const [version = ''] = await unpackFrom(['sid'], ['resource-agents/sid'], draft);
    await writeFile(join(draft, 'version'), version.replace(/^\d+:/, ''));
    await rename(draft, home);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
}
