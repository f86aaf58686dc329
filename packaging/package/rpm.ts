import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { ownDirs, zshDirs } from '../files.ts';
import { noticesFile } from '../notices/notices.ts';
import { sourceDate, version } from '../version.ts';
import { description, docDirOf, filesIn, type Package, summary } from './packages.ts';
import { madeThere, rpmScripts } from './scripts.ts';
import { stage } from './stage.ts';

const architectures = { x64: 'x86_64', arm64: 'aarch64' } as const;

const rpmArch = ({ arch }: Package): string => (arch ? architectures[arch] : 'noarch');
const rpmName = (one: Package): string => `${one.name}-${version}-1.${rpmArch(one)}.rpm`;

/** Builds the package in `scratch` and puts it into `dir`. */
export async function buildRpm(one: Package, dir: string, scratch: string): Promise<string> {
  const top = join(scratch, rpmName(one));
  const staged = join(top, 'staged');
  const layout = { docDir: docDirOf(one), zshDir: zshDirs.others };
  const files = filesIn(one, layout);
  await mkdir(top);
  await stage(files, staged);
  const spec = join(top, `${one.name}.spec`);
  const paths = [
    ...ownDirs(layout).map((path) => `%dir %attr(0755,root,root) ${path}`),
    ...files.map(({ path, mode }) => `${kind(basename(path))}%attr(0${mode.toString(8)},root,root) ${path}`),
    ...madeThere(one).map((path) => `%ghost %attr(0644,root,root) ${path}`),
  ];
  await writeFile(spec, specFile(one, staged, paths));
  await execa('rpmbuild', ['-bb', '--target', rpmArch(one), '--define', `_topdir ${top}`, spec], {
    env: { SOURCE_DATE_EPOCH: String(sourceDate()), LC_ALL: 'C.UTF-8' },
  });
  const file = join(dir, rpmName(one));
  await rename(join(top, 'RPMS', rpmArch(one), rpmName(one)), file);
  return file;
}

const kind = (name: string): string =>
  name === 'LICENSE' || name === noticesFile ? '%license ' : /\.[78]\.gz$/.test(name) ? '%doc ' : '';

const specFile = (one: Package, staged: string, paths: readonly string[]): string => `
# Whatever strips the program takes the agents off it: what is left is a Bun that runs whatever it is told.
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
%global _binary_payload w12.zstdio
%global _buildhost tsha
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global source_date_epoch_from_changelog 0

Name: ${one.name}
Version: ${version}
Release: 1
Summary: ${summary}
License: ${one.flavour === 'native' ? 'MIT AND LGPL-2.0-or-later AND LGPL-2.1-or-later AND Apache-2.0 AND BSD-3-Clause' : 'MIT AND ISC'}
Group: System Environment/Base
Requires: ${one.flavour === 'native' ? '(iproute or iproute2)' : 'nodejs(engine) >= 20, (iproute or iproute2)'}
Requires: util-linux
Recommends: pacemaker, (pcs or crmsh), drbd-utils, xfsprogs, (nfs-utils or nfs-kernel-server), python3
Conflicts: ${one.other}
Provides: ${one.other} = %{version}-%{release}
${one.arch ? '' : 'BuildArch: noarch\nAutoReqProv: no\nRequires: /bin/sh\nRequires(pre): nodejs(engine) >= 20\n'}
%description
${description(one).join('\n')}

%install
mkdir -p %{buildroot}
cp -a ${staged}/. %{buildroot}/
${madeThere(one)
  .map((path) => `: > %{buildroot}${path}`)
  .join('\n')}

${Object.entries(rpmScripts(one))
  .map(([name, text]) => `%${name}\n${text.replaceAll('%', '%%')}`)
  .join('\n')}
%files
${paths.join('\n')}

%changelog
* ${changelogDate()} The tsha authors <authors@tsha.invalid> - ${version}-1
- See CHANGELOG.md of the sources.
`;

/** `Sat Nov 28 2026` */
const changelogDate = (): string =>
  new Date(sourceDate() * 1000).toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) .*$/, '$1 $3 $2 $4');
