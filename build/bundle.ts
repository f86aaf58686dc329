import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { scriptHead } from './launcher.ts';
import { agentProducts, command, type Product, projectFolder } from './products.ts';

/** CommonJS starts faster than ESM and needs no package.json beside it; dynamic imports stay lazy within the one file. */
export const bundleOptions = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  legalComments: 'none',
  absWorkingDir: projectFolder,
  logLevel: 'warning',
  write: false,
} satisfies BuildOptions;

/** Bundles an entry point into one text. */
export async function bundle(input: Pick<BuildOptions, 'entryPoints' | 'stdin'>): Promise<string> {
  const { outputFiles } = await build({ ...bundleOptions, ...input });
  return outputFiles[0]?.text ?? '';
}

/** The script flavour of one agent: a file that runs wherever /bin/sh and Node are, copied alone. */
export async function bundleAgent({ name, entry, metadata }: Product, dir: string): Promise<void> {
  await writeExecutable(
    join(dir, name),
    scriptHead(name, metadata) + (await bundle({ entryPoints: [entry] })),
  );
}

export async function writeExecutable(file: string, text: string): Promise<void> {
  await writeFile(file, text);
  await chmod(file, 0o755);
}

/** Without it a package.json further up could make Node read the bundles as ESM. */
export const declareCommonJs = (dir: string) =>
  writeFile(join(dir, 'package.json'), '{ "type": "commonjs" }\n');

if (process.argv[1] === import.meta.filename) {
  const dir = join(projectFolder, 'dist');
  const agents = await agentProducts();
  await mkdir(dir, { recursive: true });
  for (const { name } of [...agents, ...(command ? [command] : [])])
    await rm(join(dir, name), { force: true });
  await declareCommonJs(dir);
  await Promise.all(agents.map((agent) => bundleAgent(agent, dir)));
  if (command) {
    const text = await bundle({ entryPoints: [command.entry] });
    await writeExecutable(join(dir, command.name), `#!/usr/bin/env node\n${text}`);
  }
  console.log(`dist: ${[...agents, ...(command ? [command] : [])].map(({ name }) => name).join(', ')}`);
}
