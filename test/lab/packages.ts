import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';
import { projectFolder } from './settings.ts';

/** What the nodes get to install from. */
export const debs = {
  native: 'native.deb',
  /** The same one, of a later version. */
  next: 'next.deb',
  script: 'script.deb',
  /** This machine's Node as the package that the script flavour depends on: Debian 12's own is too old. */
  node: 'nodejs.deb',
} as const;

export const packagesFolder = '/root/packages';

/** A folder, which the caller removes, with all of `debs` where the nodes are to find them. */
export async function stagePackages(cancelSignal: AbortSignal): Promise<string> {
  const dir = join(projectFolder, 'dist/packages');
  await execa(join(projectFolder, 'build.sh'), ['package'], { cwd: projectFolder, cancelSignal });
  const arch = (await execa('dpkg', ['--print-architecture'])).stdout;
  const built = await fs.readdir(dir);
  const named = (pattern: RegExp): string =>
    join(dir, built.find((name) => pattern.test(name)) ?? `no package ${pattern}`);
  const parcel = await mkdtemp(join(tmpdir(), 'tsha-lab-packages-'));
  const folder = join(parcel, packagesFolder);
  await fs.copy(named(new RegExp(`_${arch}\\.deb$`)), join(folder, debs.native));
  await fs.copy(named(/_all\.deb$/), join(folder, debs.script));

  const root = join(folder, 'unpacked');
  const pack = async (name: string): Promise<void> => {
    await execa('dpkg-deb', ['--root-owner-group', '-Znone', '--build', root, join(folder, name)], {
      cancelSignal,
    });
    await fs.remove(root);
  };
  await execa('dpkg-deb', ['-R', join(folder, debs.native), root], { cancelSignal });
  const control = join(root, 'DEBIAN/control');
  await fs.writeFile(
    control,
    (await fs.readFile(control, 'utf8')).replace(/^(Version|Provides): .*(?=\)$)|^Version: .*/gm, '$&+next'),
  );
  await pack(debs.next);

  await fs.outputFile(
    join(root, 'DEBIAN/control'),
    `${[
      'Package: nodejs',
      `Version: ${process.versions.node}`,
      `Architecture: ${arch}`,
      'Maintainer: the lab <lab@tsha.invalid>',
      'Description: the Node.js of the machine that the lab runs on',
    ].join('\n')}\n`,
  );
  await fs.chmod(join(root, 'DEBIAN'), 0o755);
  await fs.copy(await fs.realpath(process.execPath), join(root, 'usr/bin/node'));
  await pack(debs.node);
  return parcel;
}
