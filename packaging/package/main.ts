import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import fs from 'fs-extra';
import pMap from 'p-map';
import { builtIn } from '../files.ts';
import { type Architecture, compileNative } from '../native.ts';
import { products, projectFolder } from '../products.ts';
import { buildDeb } from './deb.ts';
import { type Package, packageOf } from './packages.ts';
import { buildRpm } from './rpm.ts';
import { sign } from './sign.ts';

const sumsFile = 'SHA256SUMS';
const builders = { deb: buildDeb, rpm: buildRpm } as const;
type Format = keyof typeof builders;
const formats = Object.keys(builders) as readonly Format[];

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
async function buildAll(
  dir: string,
  foreignBun: string | undefined,
  wanted: readonly Format[],
): Promise<readonly string[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'tsha-package-'));
  const draft = `${dir}.new`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    const jobs = (await packages(foreignBun)).flatMap((one) =>
      wanted.map((format) => () => builders[format](one, draft, scratch)),
    );
    const files = await pMap(jobs, (job) => job(), { concurrency: availableParallelism() });
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

process.umask(0o022); // what it lays here is what the packages lay
const { values } = parseArgs({
  options: { 'foreign-bun': { type: 'string' }, to: { type: 'string' }, format: { type: 'string' } },
});
const wanted = formats.filter((format) => !values.format || values.format === format);
const dir = values.to ?? join(projectFolder, 'dist/packages');
for (const name of await buildAll(dir, values['foreign-bun'], wanted)) console.log(join(dir, name));
