import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { hostSourcesFor } from './sources.ts';

/**
 * Packages of other Debian releases, from the archive this host uses and without touching its apt: `packages` as `name/suite`, each suite one
 * of `suites`. Unpacks them over `root`, and returns their versions in the order of their files' names. What it needs meanwhile is
 * below `root`/tmp. Throws where the host is no Debian, or apt-get fails.
 */
export async function unpackFrom(
  suites: readonly string[],
  packages: readonly string[],
  root: string,
  cancelSignal?: AbortSignal,
): Promise<readonly string[]> {
  const apt = join(root, 'tmp/apt');
  const debs = join(apt, 'debs');
  for (const folder of ['parts', 'lists/partial', 'cache/archives/partial', 'debs'])
    await mkdir(join(apt, folder), { recursive: true });
  for (const suite of suites) await writeFile(join(apt, 'parts', `${suite}.sources`), hostSourcesFor(suite));

  const options = [
    'Dir::Etc::SourceList=/dev/null',
    `Dir::Etc::SourceParts=${apt}/parts`,
    `Dir::State::Lists=${apt}/lists`,
    `Dir::Cache=${apt}/cache`,
    'Acquire::Languages=none',
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  const run = { cwd: debs, ...(cancelSignal && { cancelSignal }) };
  await execa('apt-get', [...options, '-qq', 'update'], run);
  await execa('apt-get', [...options, '-qq', 'download', ...packages], run);
  const versions: string[] = [];
  for (const deb of (await readdir(debs)).sort()) {
    versions.push((await execa('dpkg-deb', ['-f', deb, 'Version'], run)).stdout);
    await execa('dpkg-deb', ['-x', deb, root], run);
  }
  await rm(apt, { recursive: true });
  return versions;
}
