import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { execa } from 'execa';
import { bundle, replaceExecutable } from './bundle.ts';
import { nativeLauncher, nativeProgram } from './launcher.ts';
import { writeManuals } from './manuals.ts';
import { notices, noticesFile } from './notices/notices.ts';
import { npmPackagesIn } from './notices/npm-packages.ts';
import { sbom, sbomFile } from './notices/sbom.ts';
import { commandName, type Product, products, projectFolder } from './products.ts';

// "baseline" runs on every x86-64 processor; the plain build needs AVX2, which the default CPU model of many virtual machines
// does not have.
const compilers: Readonly<Record<string, string>> = {
  x64: '@oven/bun-linux-x64-baseline',
  arm64: '@oven/bun-linux-aarch64',
};

export type Architecture = 'x64' | 'arm64';

/** The Bun that npm has for this machine. */
export function compiler(): string {
  const name = compilers[process.arch];
  if (!name) throw new Error(`there is no native flavour for ${process.arch}: use the script flavour`);
  return createRequire(import.meta.url).resolve(`${name}/bin/bun`);
}

/** `process.versions` of Bun, which names what it is made of. */
export async function bunVersions(): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await execa(compiler(), ['-e', 'console.log(JSON.stringify(process.versions))'], {
    extendEnv: false,
    cwd: '/',
  });
  return JSON.parse(stdout) as Record<string, string>;
}

/** Another machine's Bun, which becomes the program there. */
export type Foreign = { readonly arch: Architecture; readonly bun: string };

/** All products in one program that needs no runtime on the node, and a launcher for each beside it. */
export async function compileNative(all: readonly Product[], dir: string, foreign?: Foreign): Promise<void> {
  await mkdir(dir, { recursive: true });
  const bundles = await Promise.all(all.map(({ entry }) => bundle(entry)));
  const packages = npmPackagesIn(bundles.map(({ metafile }) => metafile));
  const versions = await bunVersions();
  await writeFile(join(dir, noticesFile), notices(packages, versions));
  await writeFile(join(dir, sbomFile), sbom(packages, versions));
  const source = join(dir, `.${nativeProgram}.ts`);
  const draft = join(dir, `.${nativeProgram}.new`);
  await writeFile(source, dispatcher(all));
  // A bunfig.toml or .env in the working directory would otherwise run code of its choice, as root.
  const closed = ['--no-compile-autoload-bunfig', '--no-compile-autoload-dotenv'];
  // One piece per agent and per action: a program takes as long to start as what it loads is big.
  const pieces = ['--format=esm', '--splitting'];
  // Bytecode is for the processor that it was made on.
  const machine = foreign
    ? [`--target=bun-linux-${foreign.arch}`, `--compile-executable-path=${foreign.bun}`]
    : ['--bytecode'];
  await execa(
    compiler(),
    ['build', '--compile', ...pieces, ...machine, ...closed, '--outfile', draft, source],
    { cwd: dir, extendEnv: false, env: { PATH: '/usr/bin:/bin', HOME: dir } },
  );
  await rm(source);
  await rename(draft, join(dir, nativeProgram));
  for (const product of all) await replaceExecutable(join(dir, product.name), nativeLauncher(product));
}

/** The program's own entry: its first argument says which of them it is. */
const dispatcher = (all: readonly Product[]): string =>
  [
    'const [name] = process.argv.splice(2, 1);',
    'switch (name) {',
    ...all.map(
      ({ name, entry }) => `  case ${JSON.stringify(name)}: import(${JSON.stringify(entry)}); break;`,
    ),
    // whoever has the one file has its notices
    `  case 'notices': import('./${noticesFile}', { with: { type: 'text' } }).then(({ default: text }) => { process.stdout.write(text); }); break;`,
    // each program answers for its own exit code; this one speaks only where there is none
    `  default: console.error('${nativeProgram} holds no ' + name); process.exitCode = 1;`,
    '}',
  ].join('\n');

if (process.argv[1] === import.meta.filename) {
  const dir = join(projectFolder, 'dist/native');
  await compileNative(products, dir);
  await writeManuals(dir, join(dir, commandName));
  console.log(`dist/native: ${nativeProgram} with ${products.map(({ name }) => name).join(', ')}`);
}
