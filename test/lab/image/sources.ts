import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface Source {
  uris: string[];
  suites: string[];
  components: string[];
}

const words = (text: string | undefined): string[] => text?.split(/\s+/).filter(Boolean) ?? [];

/** deb822 (`*.sources`): stanzas of `Field: words`, parted by blank lines; a line that starts with a blank goes on. */
export function parseDeb822(text: string): Source[] {
  return text
    .replace(/^#.*\n?/gm, '')
    .split(/\n\s*\n/)
    .map((stanza) => {
      const fields = new Map(
        stanza
          .replace(/\n[ \t]+/g, ' ')
          .split('\n')
          .map((line) => line.split(/:(.*)/s))
          .map(([name = '', value = '']) => [name.trim().toLowerCase(), value] as const),
      );
      return {
        types: words(fields.get('types')),
        enabled: fields.get('enabled')?.trim() !== 'no',
        uris: words(fields.get('uris')),
        suites: words(fields.get('suites')),
        components: words(fields.get('components')),
      };
    })
    .filter(({ types, enabled }) => enabled && types.includes('deb'))
    .map(({ uris, suites, components }) => ({ uris, suites, components }));
}

/** One line each (`*.list`): `deb [options] uri suite component…`. */
export function parseOneLine(text: string): Source[] {
  return [...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)((?:[^\S\n]+[^#\s]\S*)*)/gm)].map(
    ([, uri = '', suite = '', components]) => ({
      uris: [uri],
      suites: [suite],
      components: words(components),
    }),
  );
}

/** Debian's own archives among all sources: those that carry the release, its updates or its security fixes in `main`. */
export function debianSources(all: Source[], codename: string): Source[] {
  const own = new Set([codename, `${codename}-updates`, `${codename}-security`]);
  return all
    .map((source) => ({
      ...source,
      suites: source.suites.filter((suite) => own.has(suite)),
      components: ['main'],
    }))
    .filter(({ suites }, index) => suites.length > 0 && all[index]?.components.includes('main'));
}

/** The same archives for another release; `sid` has neither updates nor security fixes. */
export function forSuite(sources: Source[], codename: string, suite: string): Source[] {
  const wanted = suite === 'sid' ? sources.filter(({ suites }) => suites.includes(codename)) : sources;
  return wanted.map((source) => ({
    ...source,
    suites: suite === 'sid' ? ['sid'] : source.suites.map((name) => name.replace(codename, suite)),
  }));
}

export const renderDeb822 = (sources: Source[]): string =>
  sources
    .map(({ uris, suites, components }) =>
      [
        'Types: deb',
        `URIs: ${uris.join(' ')}`,
        `Suites: ${suites.join(' ')}`,
        `Components: ${components.join(' ')}`,
        `Signed-By: ${keyring}`,
        '',
      ].join('\n'),
    )
    .join('\n');

/** The sources file for a Debian release, made from where this host gets its own packages. */
export function hostSourcesFor(suite: string): string {
  const release = readFileSync('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME=(\S+)/m.exec(release)?.[1];
  if (!/^ID=debian$/m.test(release) || !codename)
    throw new Error(
      'the images are made from the Debian archive this host uses, and this host is not Debian',
    );

  const folder = '/etc/apt/sources.list.d';
  const files = [...readdirSync(folder).map((name) => join(folder, name)), '/etc/apt/sources.list'];
  const all = files.filter(existsSync).flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return file.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text);
  });
  const sources = forSuite(debianSources(all, codename), codename, suite);
  if (sources.length === 0) throw new Error(`no apt source of this host carries ${codename} main`);
  return renderDeb822(sources);
}
