import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { projectFolder } from '../../packaging/products.ts';
import { hostSourcesFor } from '../lab/image/sources.ts';

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
    const apt = join(draft, 'apt');
    for (const folder of ['parts', 'lists/partial', 'cache/archives/partial'])
      await mkdir(join(apt, folder), { recursive: true });
    await writeFile(join(apt, 'parts/sid.sources'), hostSourcesFor('sid'));
    const options = [
      'Dir::Etc::SourceList=/dev/null',
      `Dir::Etc::SourceParts=${apt}/parts`,
      `Dir::State::Lists=${apt}/lists`,
      `Dir::Cache=${apt}/cache`,
      'Acquire::Languages=none',
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option]);
    await execa('apt-get', [...options, '-qq', 'update'], { cwd: draft });
    await execa('apt-get', [...options, '-qq', 'download', 'resource-agents/sid'], { cwd: draft });
    const [deb = ''] = readdirSync(draft).filter((name) => name.endsWith('.deb'));
    const { stdout: version } = await execa('dpkg-deb', ['-f', deb, 'Version'], { cwd: draft });
    await execa('dpkg-deb', ['-x', deb, '.'], { cwd: draft });
    await writeFile(join(draft, 'version'), version.replace(/^\d+:/, ''));
    await rm(apt, { recursive: true });
    await rm(join(draft, deb));
    await rename(draft, home);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
}
