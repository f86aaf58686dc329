import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { agentDir, cacheFiles, runnerPath } from '../files.ts';
import { findNode, setPlaces } from '../launcher.ts';
import { agentNames } from '../products.ts';
import { docDirOf, names, type Package, placesOf } from './packages.ts';

// What runs when a package is installed and removed.

/** How one flavour replaces the other while the agents stay in place all the time; apt would first remove, then install. */
const replacing = {
  deb: 'dpkg -i FILE.deb',
  rpm: 'rpm -i --replacefiles --nodeps FILE.rpm, then rpm -e of this one',
} as const;

const text = (name: string, words: Readonly<Record<string, string>>): string =>
  Object.entries({
    AGENTS: agentNames.join(' '),
    AGENT: agentNames[0] ?? '',
    PROGRAMS: dirname(runnerPath),
    AGENTDIR: agentDir,
    ...words,
  }).reduce(
    (done, [word, value]) => done.replaceAll(`@${word}@`, () => value),
    readFileSync(join(import.meta.dirname, 'scripts', `${name}.sh`), 'utf8'),
  );

const part = (name: string, one: Package, format: keyof typeof replacing): string =>
  text(name, {
    PACKAGE: one.name,
    REPLACE: replacing[format],
    FLAVOUR: one.flavour,
    OTHERDOC: docDirOf({ name: one.other }),
    FIND: setPlaces(findNode(), placesOf(one)),
  });

const tmpfiles = '! command -v systemd-tmpfiles >/dev/null || systemd-tmpfiles --create tsha.conf || :';
/** What the alert agent has written down. The other flavour's goes on writing there. */
const removeState = `[ -e ${join(agentDir, agentNames[0] ?? '')} ] || rm -rf /var/lib/tsha`;

/** dpkg's maintainer scripts. */
export function debScripts(one: Package): Readonly<Record<string, string>> {
  const isScript = one.flavour === 'script';
  const begin = '#!/bin/sh\nset -e\n';
  return {
    ...(isScript && {
      preinst: [
        begin,
        part('require-node', one, 'deb'),
        'case $1 in install | upgrade) tsha_require_node ;; esac',
        '',
      ].join('\n'),
    }),
    prerm: [
      begin,
      part('require-unused', one, 'deb'),
      part('systemd', one, 'deb'),
      ...(isScript ? [part('make-caches', one, 'deb')] : []),
      '# "in-favour" of the other flavour it goes only when that one’s files lie in its place.',
      'case $1:$2 in',
      '  remove:in-favour) ;;',
      '  remove:*)',
      '    tsha_require_unused',
      '    tsha_disable_units',
      '    ;;',
      'esac',
      ...(isScript
        ? ['# Before other agents come: what was made of these is not for them.', 'tsha_remove_caches']
        : []),
      '',
    ].join('\n'),
    postinst: [
      begin,
      part('systemd', one, 'deb'),
      ...(isScript ? [part('make-caches', one, 'deb')] : []),
      'case $1 in',
      '  configure | abort-*)',
      ...(isScript ? ['    tsha_make_caches'] : []),
      `    ${tmpfiles}`,
      '    tsha_reload_units',
      '    ;;',
      'esac',
      '',
    ].join('\n'),
    postrm: [
      begin,
      part('systemd', one, 'deb'),
      'case $1 in',
      '  remove) tsha_reload_units ;;',
      `  purge) ${removeState} ;;`,
      'esac',
      '',
    ].join('\n'),
  };
}

/** RPM's scriptlets; `$1` is how many of the package there will be. */
export function rpmScripts(one: Package): Readonly<Record<string, string>> {
  const isScript = one.flavour === 'script';
  return {
    ...(isScript && {
      pre: [
        part('require-node', one, 'rpm'),
        part('make-caches', one, 'rpm'),
        'tsha_require_node || exit 1',
        'tsha_remove_caches',
        '',
      ].join('\n'),
    }),
    post: [
      part('systemd', one, 'rpm'),
      ...(isScript ? [part('make-caches', one, 'rpm'), 'tsha_make_caches'] : []),
      tmpfiles,
      'tsha_reload_units',
      '',
    ].join('\n'),
    preun: [
      part('require-unused', one, 'rpm'),
      part('replaced', one, 'rpm'),
      part('systemd', one, 'rpm'),
      'if [ "$1" = 0 ] && ! tsha_is_replaced; then',
      '  tsha_require_unused',
      '  tsha_disable_units',
      'fi',
      '',
    ].join('\n'),
    postun: [
      part('systemd', one, 'rpm'),
      'tsha_reload_units',
      `if [ "$1" = 0 ]; then ${removeState}; fi`,
      '',
    ].join('\n'),
  };
}

const fromCheckout = { PACKAGE: names.native, REPLACE: './build.sh install --native, or --script' } as const;

/** What `uninstall` asks of the system that it is about to take the agents from: the same. */
export const uninstallGuard = (): string =>
  [
    'set -e',
    text('require-unused', fromCheckout),
    text('require-unpackaged', fromCheckout),
    'tsha_require_unpackaged',
    'tsha_require_unused',
    '',
  ].join('\n');

/** And does once they are to go, and when they have gone. */
export const unitScript = (step: 'tsha_disable_units' | 'tsha_reload_units'): string =>
  `${text('systemd', {})}${step}\n`;

/** Made on the target: they go with the package, although it does not carry them. */
export const madeThere = ({ flavour }: Package): readonly string[] =>
  flavour === 'script' ? cacheFiles : [];
