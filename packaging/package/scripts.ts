import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { agentDir, cacheFiles, programPath, runnerPath } from '../files.ts';
import { agentNames } from '../products.ts';
import type { Package } from './packages.ts';

// What runs when a package is installed and removed.

/** How one flavour replaces the other while the agents stay in place all the time; apt would first remove, then install. */
const replacing = {
  deb: 'dpkg -i FILE.deb',
  rpm: 'rpm -i --replacefiles --nodeps FILE.rpm, then rpm -e of this one',
} as const;

const part = (name: string, { name: itself }: Package, format: keyof typeof replacing): string =>
  readFileSync(join(import.meta.dirname, 'scripts', `${name}.sh`), 'utf8')
    .replaceAll('@PACKAGE@', itself)
    .replaceAll('@REPLACE@', replacing[format])
    .replaceAll('@AGENTS@', agentNames.join(' '))
    .replaceAll('@PROGRAMS@', dirname(runnerPath))
    .replaceAll('@AGENTDIR@', agentDir);

const tmpfiles = '! command -v systemd-tmpfiles >/dev/null || systemd-tmpfiles --create tsha.conf || :';

/** dpkg's maintainer scripts. */
export function debScripts(one: Package): Readonly<Record<string, string>> {
  const isScript = one.flavour === 'script';
  const begin = '#!/bin/sh\nset -e\n';
  return {
    prerm: [
      begin,
      part('require-unused', one, 'deb'),
      ...(isScript ? [part('make-caches', one, 'deb')] : []),
      '# "in-favour" of the other flavour it goes only when that one’s files lie in its place.',
      'case $1:$2 in',
      '  remove:in-favour) ;;',
      '  remove:*) tsha_require_unused ;;',
      'esac',
      ...(isScript
        ? ['# Before other agents come: what was made of these is not for them.', 'tsha_remove_caches']
        : []),
      '',
    ].join('\n'),
    postinst: [
      begin,
      ...(isScript ? [part('make-caches', one, 'deb')] : []),
      'case $1 in',
      '  configure | abort-*)',
      ...(isScript ? ['    tsha_make_caches'] : []),
      `    ${tmpfiles}`,
      '    ;;',
      'esac',
      '',
    ].join('\n'),
  };
}

/** RPM's scriptlets; `$1` is how many of the package there will be. */
export function rpmScripts(one: Package): Readonly<Record<string, string>> {
  const isScript = one.flavour === 'script';
  // When one flavour replaces the other, the new one's files are there before the old one goes.
  const others = isScript ? programPath : runnerPath;
  return {
    preun: [
      part('require-unused', one, 'rpm'),
      `if [ "$1" = 0 ] && [ ! -e ${others} ]; then tsha_require_unused; fi`,
      '',
    ].join('\n'),
    post: [...(isScript ? [part('make-caches', one, 'rpm'), 'tsha_make_caches'] : []), tmpfiles, ''].join(
      '\n',
    ),
    ...(isScript && { pre: `${part('make-caches', one, 'rpm')}tsha_remove_caches\n` }),
  };
}

/** Made on the target: they go with the package, although it does not carry them. */
export const madeThere = ({ flavour }: Package): readonly string[] =>
  flavour === 'script' ? cacheFiles : [];
