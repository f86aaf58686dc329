import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild';
import { scriptHead } from './launcher.ts';
import { writeManuals } from './manuals.ts';
import { notices, noticesComment, noticesFile } from './notices/notices.ts';
import { npmPackagesIn } from './notices/npm-packages.ts';
import { sbom, sbomFile } from './notices/sbom.ts';
import { commandName, type Product, products, projectFolder } from './products.ts';

/**
 * Code of packages without what only their authors read: Node has to go through all of an executable before the first line of it runs,
 * also through what no monitor uses. Our own stays as it was written.
 */
const smallPackages: Plugin = {
  name: 'small packages',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/node_modules\/.*\.(?:c|m)?js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { minify: true, legalComments: 'none' });
      return { contents: code };
    }),
};

/** CommonJS starts faster than ESM and needs no package.json beside it; dynamic imports stay lazy within the one file. */
const options = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  legalComments: 'none',
  // as require(): for the sake of one import() Node would bring up its whole loader of ES modules
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'importMetaUrl' },
  inject: [join(projectFolder, 'packaging/import-meta-url.ts')],
  absWorkingDir: projectFolder,
  logLevel: 'warning',
  write: false,
  metafile: true,
  plugins: [smallPackages],
} satisfies BuildOptions;

/** Bundles an entry point into one text, and tells what is in it. */
export async function bundle(entry: string): Promise<{ readonly code: string; readonly metafile: Metafile }> {
  const { outputFiles = [], metafile } = await build(bundleOptions(entry));
  return { code: outputFiles[0]?.text ?? '', metafile };
}

export const bundleOptions = (entry: string) => ({ ...options, entryPoints: [entry] });

/** The script flavour of one executable: a file that runs wherever /bin/sh and Node are, copied alone. */
export async function bundleScript(product: Product, dir: string): Promise<Metafile> {
  const { code, metafile } = await bundle(product.entry);
  const whose = noticesComment(npmPackagesIn([metafile]));
  await replaceExecutable(join(dir, product.name), scriptHead(product) + code + whose);
  return metafile;
}

/** Whoever is running the old file keeps it; whoever comes next finds the new one whole. */
export async function replaceFile(file: string, content: string | Buffer, mode: number): Promise<void> {
  const draft = join(dirname(file), `.${basename(file)}.new`);
  await writeFile(draft, content, { flush: true }); // a crash must not leave the new name without its content
  await chmod(draft, mode);
  await rename(draft, file);
}

export const replaceExecutable = (file: string, content: string) => replaceFile(file, content, 0o755);

/** Without it a package.json further up could make Node read the bundles as ESM. */
export const declareCommonJs = (dir: string) =>
  writeFile(join(dir, 'package.json'), '{ "type": "commonjs" }\n');

if (process.argv[1] === import.meta.filename) {
  const dir = join(projectFolder, 'dist');
  await mkdir(dir, { recursive: true });
  await declareCommonJs(dir);
  const bundles = await Promise.all(products.map((product) => bundleScript(product, dir)));
  const packages = npmPackagesIn(bundles);
  await writeFile(join(dir, noticesFile), notices(packages));
  await writeFile(join(dir, sbomFile), sbom(packages));
  await writeManuals(dir, join(dir, commandName));
  console.log(`dist: ${products.map(({ name }) => name).join(', ')}`);
}
