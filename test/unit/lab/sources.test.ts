import { expect, test } from 'vitest';
import { debianSources, forSuite, parseDeb822, parseOneLine, renderDeb822 } from '../../lab/image/sources.ts';

const deb822 = `# comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: /usr/share/keyrings/some.gpg

Types: deb
# a comment inside a stanza
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://other.example/node
Suites: nodistro
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
`;

const oneLine = `# deb http://commented.example/debian bookworm main
deb [signed-by=/usr/share/keyrings/some.gpg arch=amd64] http://mirror.example/debian bookworm main contrib # and a remark
deb http://mirror.example/debian bookworm-updates main
deb http://mirror.example/security bookworm-security main
deb-src http://mirror.example/debian bookworm main
deb http://other.example/tools tools-bookworm main
`;

const suitesOf = (sources: { suites: string[] }[]): string[] => sources.flatMap(({ suites }) => suites);

test.each([
  ['deb822', parseDeb822(deb822)],
  ['one line each', parseOneLine(oneLine)],
])('%s: only the archives of Debian itself', (_, sources) => {
  const own = debianSources(sources, 'bookworm');
  expect(suitesOf(own)).toEqual(['bookworm', 'bookworm-updates', 'bookworm-security']);
  expect(new Set(own.flatMap(({ uris }) => uris))).toEqual(
    new Set(['http://mirror.example/debian', 'http://mirror.example/security']),
  );
});

test('another release keeps updates and security fixes, sid has none', () => {
  const own = debianSources(parseDeb822(deb822), 'bookworm');
  expect(suitesOf(forSuite(own, 'bookworm', 'trixie'))).toEqual([
    'trixie',
    'trixie-updates',
    'trixie-security',
  ]);
  expect(suitesOf(forSuite(own, 'bookworm', 'sid'))).toEqual(['sid']);
});

test('what is written can be read again', () => {
  const own = debianSources(parseOneLine(oneLine), 'bookworm');
  expect(parseDeb822(renderDeb822(own))).toEqual(own);
});
