import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../products.ts';
import { version } from '../version.ts';
import { bunParts } from './bun-parts.ts';
import type { NpmPackage } from './npm-packages.ts';

/** Its name beside the bundles and where it is installed. */
export const noticesFile = 'THIRD-PARTY-NOTICES';

/** The Bun that the native flavour is made with, and its parts: `process.versions` as it tells them. */
type Versions = Readonly<Record<string, string>>;

const rule = '-'.repeat(100);
const section = (title: string, ...texts: readonly string[]) =>
  [rule, title, rule, '', ...texts, ''].join('\n');

/** Whose work is in the executables, and under which conditions: of the native flavour if `bun` is given. */
export function notices(packages: readonly NpmPackage[], bun?: Versions): string {
  const head = [
    `Third-party notices of tsha ${version}, ${bun ? 'native' : 'script'} flavour`,
    '',
    'tsha itself is under the MIT licence (see LICENSE). Its executables also contain the work of others, named below with their',
    'copyright and licences.',
    '',
  ].join('\n');
  return [head, ...packages.map(packageNotice), ...(bun ? bunNotices(bun) : [])].join('\n');
}

const packageNotice = ({ name, version, licence, text }: NpmPackage): string =>
  section(`${name} ${version} (${licence})`, text);

function bunNotices(versions: Versions): readonly string[] {
  const { bun = '', webkit = '', tinycc = '' } = versions;
  const parts = bunParts.map(({ name, licence, copyright, home, version }) => {
    const number = version ? versions[version] : undefined;
    return `${name}${number ? ` ${number}` : ''}\n  ${home}\n  Copyright ${copyright}\n  Licence: ${licence}\n`;
  });
  return [
    section(
      `Bun ${bun} (MIT)`,
      'The program tsha-agents is an unchanged Bun with the code of tsha attached to it.',
      '  https://github.com/oven-sh/bun',
      '  Copyright 2021-2026 Oven and the Bun contributors',
      '  Licence: MIT',
    ),
    section('What Bun links statically or carries inside', ...parts),
    section(
      'Relinking (LGPL)',
      'JavaScriptCore (LGPL-2) and tinycc (LGPL-2.1) are linked statically. You may change them and link anew:',
      '',
      `  JavaScriptCore  https://github.com/oven-sh/WebKit   commit ${webkit}`,
      `  tinycc          https://github.com/oven-sh/tinycc   commit ${tinycc}`,
      `  Bun             https://github.com/oven-sh/bun      tag bun-v${bun}`,
      '',
      '"git clone" them, check the commits out below vendor/ of Bun, and "bun run build:local" links another Bun. The code of',
      'tsha is attached to any Bun by packaging/native.ts of its sources: put yours at the place of the one from npm',
      '(node_modules/@oven/*/bin/bun) and run "./build.sh native".',
    ),
    ...licenceIds(['MIT', ...bunParts.map(({ licence }) => licence)]).map((id) =>
      section(`Text of ${id}`, licenceText(id)),
    ),
  ];
}

/** The licences that expressions are made of, without "or later". */
export const licenceIds = (expressions: readonly string[]): readonly string[] =>
  [...new Set(expressions.flatMap((one) => one.split(/ AND | OR | WITH /)))]
    .map((id) => id.replace(/-or-later$/, ''))
    .sort();

const blessing = `The author disclaims copyright to this source code. In place of a legal notice, here is a blessing:

  May you do good and not evil.
  May you find forgiveness for yourself and forgive others.
  May you share freely, never taking more than you give.`;

function licenceText(id: string): string {
  if (id === 'blessing') return blessing;
  return readFileSync(join(projectFolder, 'packaging/notices/texts', `${id}.txt`), 'utf8').trimEnd();
}

/** Notices for the end of a bundle: whoever copies the one file has them, too. */
export const noticesComment = (packages: readonly NpmPackage[]): string =>
  packages.length === 0 ? '' : `\n/*\n${packages.map(packageNotice).join('\n').replaceAll('*/', '* /')}*/\n`;
