import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cachedRunnerSource } from '../code-cache.ts';
import { type File, runnerPath, zshDirs } from '../files.ts';
import { compressed } from '../manuals.ts';
import { noticesFile } from '../notices/notices.ts';
import { projectFolder } from '../products.ts';
import { sourceDate, version } from '../version.ts';
import { description, docDirOf, filesIn, type Package, summary } from './packages.ts';
import { debScripts } from './scripts.ts';
import { stage, textFile } from './stage.ts';

const architectures = { x64: 'amd64', arm64: 'arm64' } as const;

const debArch = ({ arch }: Package): string => (arch ? architectures[arch] : 'all');
const debName = (one: Package): string => `${one.name}_${version}_${debArch(one)}.deb`;

const maintainer = process.env['TSHA_MAINTAINER'] ?? 'The tsha authors <authors@tsha.invalid>';

/** Builds the package in `scratch` and puts it into `dir`. */
export async function buildDeb(one: Package, dir: string, scratch: string): Promise<string> {
  const root = join(scratch, debName(one));
  const files = await debFiles(one);
  await stage(files, root);
  const control = join(root, 'DEBIAN');
  await mkdir(control, { mode: 0o755 });
  const sizes: number[] = [];
  const sums: string[] = [];
  for (const { path, content } of files) {
    const bytes = await content();
    sizes.push(Math.ceil(bytes.length / 1024));
    sums.push(`${createHash('md5').update(bytes).digest('hex')}  ${path.slice(1)}\n`);
  }
  await writeFile(
    join(control, 'control'),
    controlFile(
      one,
      sizes.reduce((sum, size) => sum + size, 0),
    ),
  );
  await writeFile(join(control, 'md5sums'), sums.join(''));
  for (const [name, text] of Object.entries(debScripts(one)))
    await writeFile(join(control, name), text, { mode: 0o755 });
  const file = join(dir, debName(one));
  // gzip: every dpkg and lintian know it; xz would save a quarter of the 53 MB and take twenty times as long
  await execa('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z9', '--build', root, file], {
    env: { SOURCE_DATE_EPOCH: String(sourceDate()) },
  });
  return file;
}

async function debFiles(one: Package): Promise<readonly File[]> {
  const docDir = docDirOf(one);
  const licence = await readFile(join(projectFolder, 'LICENSE'), 'utf8');
  const notices = await readFile(join(one.built, noticesFile), 'utf8');
  return [
    ...filesIn(one, { docDir, zshDir: zshDirs.debian }).filter(
      ({ path }) => path !== join(docDir, 'LICENSE') && path !== join(docDir, noticesFile),
    ),
    // A launcher of the script flavour that has just started Node still needs it when the native one takes its place.
    ...(one.flavour === 'native' ? [textFile(runnerPath, await readFile(cachedRunnerSource))] : []),
    textFile(join(docDir, 'copyright'), `${licence}\n\n${withCommonLicences(notices)}`),
    textFile(join(docDir, 'changelog.gz'), compressed(changelog(one))),
    textFile(join('/usr/share/lintian/overrides', one.name), await overrides(one)),
  ];
}

const commonLicences = { 'Apache-2.0': 'Apache-2.0', 'LGPL-2.0': 'LGPL-2', 'LGPL-2.1': 'LGPL-2.1' } as const;

/** Debian has some texts already, and wants to be pointed to. */
const withCommonLicences = (notices: string): string =>
  Object.entries(commonLicences).reduce(
    (text, [id, file]) =>
      text.replace(
        new RegExp(`(Text of ${id.replaceAll('.', '\\.')}\n-+\n)[\\s\\S]*?(?=\n-{90,}\n|$)`),
        `$1\nOn Debian systems: /usr/share/common-licenses/${file}\n`,
      ),
    notices,
  );

const overrides = async ({ name, flavour }: Package): Promise<string> =>
  (await readFile(join(import.meta.dirname, `lintian-${flavour}.txt`), 'utf8')).replaceAll('@PACKAGE@', name);

function controlFile(one: Package, kilobytes: number): string {
  // Before: the other flavour's agents are gone as soon as this one is unpacked, and it may be unpacked long before it is configured.
  const needs =
    one.flavour === 'native' ? 'Depends: libc6 (>= 2.17), ' : 'Pre-Depends: nodejs (>= 20)\nDepends: ';
  return `${[
    `Package: ${one.name}`,
    `Version: ${version}`,
    `Architecture: ${debArch(one)}`,
    `Maintainer: ${maintainer}`,
    `Installed-Size: ${kilobytes}`,
    `${needs}iproute2, mount`,
    // python3: nfsserver writes nfsdcld's database by it
    'Recommends: pacemaker, pcs | crmsh, drbd-utils, nfs-kernel-server, xfsprogs, python3',
    `Conflicts: ${one.other}`,
    `Replaces: ${one.other}`,
    `Provides: ${one.other} (= ${version})`,
    'Enhances: pacemaker',
    'Section: admin',
    'Priority: optional',
    `Description: ${summary}`,
    ...description(one).map((line) => ` ${line || '.'}`),
  ].join('\n')}\n`;
}

const changelog = (one: Package): string =>
  [
    `${one.name} (${version}) unstable; urgency=medium`,
    '',
    '  * See CHANGELOG.md of the sources.',
    '',
    ` -- ${maintainer}  ${new Date(sourceDate() * 1000).toUTCString().replace('GMT', '+0000')}`,
    '',
  ].join('\n');
