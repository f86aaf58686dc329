import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import fs from 'fs-extra';
import { builtIn } from '../files.ts';
import { type Architecture, compileNative } from '../native.ts';
import { products, projectFolder } from '../products.ts';
import { buildDeb } from './deb.ts';
import { type Package, packageOf } from './packages.ts';
import { buildRpm } from './rpm.ts';

const sumsFile = 'SHA256SUMS';

/** @param foreignBun Bun for the other architecture; its package is left out where there is none */
async function packages(foreignBun: string | undefined): Promise<readonly Package[]> {
  const here = process.arch as Architecture;
  const own = [packageOf('native', builtIn('native'), here), packageOf('script', builtIn('script'))];
  if (!foreignBun) return own;
  const arch = here === 'x64' ? 'arm64' : 'x64';
  const built = join(projectFolder, `dist/native-${arch}`);
  await compileNative(products, built, { arch, bun: foreignBun });
  // what is not made of the program is the same
  await fs.copy(join(builtIn('native'), 'man'), join(built, 'man'));
  return [...own, packageOf('native', built, arch)];
}

/** Builds every package into `dir`, which has nothing else then. */
async function buildAll(dir: string, foreignBun: string | undefined): Promise<readonly string[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'tsha-package-'));
  const draft = `${dir}.new`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    const files: string[] = [];
    for (const one of await packages(foreignBun))
      for (const build of [buildDeb, buildRpm]) files.push(await build(one, draft, scratch));
    await writeFile(join(draft, sumsFile), await sumsOf(files));
    await sign(join(draft, sumsFile));
    await rm(dir, { recursive: true, force: true });
    await rename(draft, dir);
    return files.map((file) => basename(file));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function sumsOf(files: readonly string[]): Promise<string> {
  const lines = await Promise.all(
    files.map(async (file) => {
      const sum = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      return `${sum}  ${basename(file)}\n`;
    }),
  );
  return lines.join('');
}

/** TSHA_SIGNING_KEY holds a secret key without passphrase, as `gpg --armor --export-secret-keys` prints it. */
async function sign(file: string): Promise<void> {
  const key = process.env['TSHA_SIGNING_KEY'];
  if (!key) {
    console.error(`${basename(file)} is not signed: TSHA_SIGNING_KEY has no key`);
    return;
  }
  const home = await mkdtemp(join(tmpdir(), 'tsha-gpg-'));
  const gpg = (args: readonly string[], input = '') =>
    execa('gpg', ['--homedir', home, '--batch', '--quiet', '--no-tty', ...args], { input });
  try {
    await gpg(['--import'], key);
    await gpg(['--armor', '--detach-sign', '--output', `${file}.asc`, file]);
  } finally {
    await execa('gpgconf', ['--homedir', home, '--kill', 'all'], { reject: false });
    await rm(home, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { 'foreign-bun': { type: 'string' }, to: { type: 'string' } },
});
const dir = values.to ?? join(projectFolder, 'dist/packages');
for (const name of await buildAll(dir, values['foreign-bun'])) console.log(join(dir, name));
