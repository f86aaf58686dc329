import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { projectFolder } from '../products.ts';

/** A package whose code is in a bundle. */
export type NpmPackage = {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly licence: string;
  /** As it lies in the package, with the copyright. */
  readonly text: string;
};

/** The packages that bundles contain: those of which esbuild has taken at least one byte. */
export const npmPackagesIn = (bundles: readonly Metafile[]): readonly NpmPackage[] =>
  [...new Set(bundles.flatMap(packageFolders))].sort().map(describe);

/** `node_modules/cliui/node_modules/string-width` of `node_modules/cliui/node_modules/string-width/index.js`. */
const innermostPackage = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

const packageFolders = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([file]) => innermostPackage.exec(file) ?? []);

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
};

function describe(folder: string): NpmPackage {
  const at = join(projectFolder, folder);
  const manifest = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as Manifest;
  const { name, version, license } = manifest;
  const file = readdirSync(at).find((one) => /^licen[cs]e/i.test(one) && existsSync(join(at, one)));
  const text = file ? readFileSync(join(at, file), 'utf8').trim() : declaredText(manifest);
  if (!license || !text) throw new Error(`${name} ${version} has no licence: it must not be in a bundle`);
  return { name, version, licence: license, text };
}

/** Of a package that declares its licence and author and has forgotten the text; `undefined` unless it is one we know the text of. */
function declaredText({ license, author }: Manifest): string | undefined {
  const holder = typeof author === 'string' ? author : author?.name;
  const file = join(projectFolder, `packaging/notices/texts/${license}.txt`);
  return holder && license === 'MIT' && existsSync(file)
    ? `Copyright (c) ${holder}\n\n${readFileSync(file, 'utf8').trim()}`
    : undefined;
}
