import { join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';
import { hash, type Suite, stateFolder } from '../settings.ts';
import { hostSourcesFor } from './sources.ts';

const packageList = fs
  .readFileSync(join(import.meta.dirname, 'packages.txt'), 'utf8')
  .trim()
  .split('\n');
const unwantedPaths = ['doc', 'man', 'info', 'locale'].map((name) => `/usr/share/${name}/*`);

/** What Debian installs by itself, so that the images are plain: nothing here knows of the lab. */
export const treeKey = (suite: Suite): string => hash(suite, ...bootstrapOptions(''));

/** Installs a Debian release into a folder, once per package list; the packages themselves stay in the cache. */
export async function buildTree(suite: Suite, signal: AbortSignal): Promise<string> {
  const tree = join(stateFolder, 'trees', `${suite}-${treeKey(suite)}`);
  if (fs.existsSync(tree)) return tree;

  const debs = join(stateFolder, 'debs', suite);
  await fs.ensureDir(debs);
  await removeOthers(join(stateFolder, 'trees'), suite);
  const unfinished = `${tree}.unfinished`;
  const sources = `${tree}.sources`;
  await fs.outputFile(sources, hostSourcesFor(suite));
  try {
    await execa('eatmydata', ['mmdebstrap', ...bootstrapOptions(debs), suite, unfinished, sources], {
      cancelSignal: signal,
      all: true,
    });
    await fs.move(unfinished, tree);
    return tree;
  } finally {
    await fs.remove(sources);
  }
}

const bootstrapOptions = (debs: string): string[] => [
  '--mode=root',
  '--variant=apt',
  '--components=main',
  `--include=${packageList.join()}`,
  '--aptopt=APT::Install-Recommends "false"',
  '--aptopt=Acquire::Languages "none"',
  ...unwantedPaths.map((path) => `--dpkgopt=path-exclude=${path}`),
  '--dpkgopt=force-unsafe-io',
  '--skip=essential/unlink',
  '--skip=download/empty',
  // hard links both ways: what the cache has is not fetched again, and what was fetched goes to the cache
  `--setup-hook=mkdir -p "$1/var/cache/apt/archives/partial"; find '${debs}' -name '*.deb' -exec ln -t "$1/var/cache/apt/archives" {} +`,
  `--customize-hook=find "$1/var/cache/apt/archives" -maxdepth 1 -name '*.deb' -exec mv -n -t '${debs}' {} +`,
  // how this host reaches its package archive is nobody's business in an image
  '--customize-hook=rm -f "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/apt.conf.d/99mmdebstrap; : > "$1/etc/apt/sources.list"',
];

/** Earlier versions of this suite's tree or image are of no use to anyone. */
export async function removeOthers(folder: string, suite: Suite): Promise<void> {
  await fs.ensureDir(folder);
  for (const name of await fs.readdir(folder)) {
    if (name.startsWith(`${suite}-`)) await fs.remove(join(folder, name));
  }
}
