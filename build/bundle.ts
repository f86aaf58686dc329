import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { scriptHead } from './launcher.ts';
import { type Product, products, projectFolder } from './products.ts';

/** CommonJS starts faster than ESM and needs no package.json beside it; dynamic imports stay lazy within the one file. */
const options = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  legalComments: 'none',
  define: { 'import.meta.url': 'importMetaUrl' },
  inject: [join(projectFolder, 'build/import-meta-url.ts')],
  absWorkingDir: projectFolder,
  logLevel: 'warning',
  write: false,
} satisfies BuildOptions;

/**
 * Packages that are imported when they are needed stay text until then: Node reads over every function of a file before it runs
 * the first, which took it 6 ms for execa, at every monitor.
 */
const packagesAsText: Plugin = {
  name: 'packages-as-text',
  setup({ onResolve, onLoad }) {
    const namespace = 'as-text';
    onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
      kind === 'dynamic-import' && !isBuiltin(path) ? { path, namespace } : undefined,
    );
    onLoad({ filter: /./, namespace }, async ({ path }) => {
      const contents = `export * from ${JSON.stringify(path)}`;
      const code = await textOf({ ...options, stdin: { contents, resolveDir: projectFolder }, minify: true });
      return {
        contents: `new Function('module', 'require', '__filename', ${JSON.stringify(code)})(module, require, __filename)`,
      };
    });
  },
};

/** Bundles an entry point into one text. */
export const bundle = (entry: string): Promise<string> => textOf(bundleOptions(entry));

export const bundleOptions = (entry: string) => ({
  ...options,
  entryPoints: [entry],
  plugins: [packagesAsText],
});

async function textOf(input: BuildOptions): Promise<string> {
  const { outputFiles = [] } = await build(input);
  return outputFiles[0]?.text ?? '';
}

/** The script flavour of one executable: a file that runs wherever /bin/sh and Node are, copied alone. */
export async function bundleScript(product: Product, dir: string): Promise<void> {
  const code = await bundle(product.entry);
  await replaceExecutable(join(dir, product.name), scriptHead(product) + code);
}

/** Whoever is running the old file keeps it; whoever comes next finds the new one whole. */
export async function replaceExecutable(file: string, content: string | Buffer): Promise<void> {
  const draft = join(dirname(file), `.${basename(file)}.new`);
  await writeFile(draft, content);
  await chmod(draft, 0o755);
  await rename(draft, file);
}

/** Without it a package.json further up could make Node read the bundles as ESM. */
export const declareCommonJs = (dir: string) =>
  writeFile(join(dir, 'package.json'), '{ "type": "commonjs" }\n');

if (process.argv[1] === import.meta.filename) {
  const dir = join(projectFolder, 'dist');
  await mkdir(dir, { recursive: true });
  await declareCommonJs(dir);
  await Promise.all(products.map((product) => bundleScript(product, dir)));
  console.log(`dist: ${products.map(({ name }) => name).join(', ')}`);
}
