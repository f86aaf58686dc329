import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { execa } from 'execa';
import { bundle, writeExecutable } from './bundle.ts';
import { nativeCommand, nativeLauncher, nativeProgram } from './launcher.ts';
import { agentProducts, command, type Product, projectFolder } from './products.ts';

// "baseline" runs on every x86-64 processor; the plain build needs AVX2, which the default CPU model of many virtual machines
// does not have.
const compilers: Readonly<Record<string, string>> = {
  x64: '@oven/bun-linux-x64-baseline',
  arm64: '@oven/bun-linux-aarch64',
};

function compiler(): string {
  const name = compilers[process.arch];
  if (!name) throw new Error(`there is no native flavour for ${process.arch}: use the script flavour`);
  return createRequire(import.meta.url).resolve(`${name}/bin/bun`);
}

/** All agents in one program that needs no runtime on the node, and a launcher per agent beside it. */
export async function compileNative(
  agents: readonly Product[],
  people: { readonly name: string; readonly entry: string } | undefined,
  dir: string,
): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const source = join(dir, `${nativeProgram}.cjs`);
  await writeFile(
    source,
    await bundle({
      stdin: { contents: dispatcher([...agents, ...(people ? [people] : [])]), resolveDir: projectFolder },
    }),
  );
  const target = join(dir, nativeProgram);
  // A bunfig.toml or .env in the working directory would otherwise run code of its choice, as root.
  const closed = ['--no-compile-autoload-bunfig', '--no-compile-autoload-dotenv'];
  await execa(compiler(), ['build', '--compile', '--bytecode', ...closed, '--outfile', target, source], {
    cwd: dir,
  });
  await rm(source);
  for (const { name, metadata } of agents)
    await writeExecutable(join(dir, name), nativeLauncher(name, metadata));
  if (people) await writeExecutable(join(dir, people.name), nativeCommand(people.name));
}

/** The program's own entry: its first argument says which agent it is. */
const dispatcher = (products: readonly { readonly name: string; readonly entry: string }[]): string =>
  [
    'process.exitCode = 1;',
    'const [name] = process.argv.splice(2, 1);',
    'switch (name) {',
    ...products.map(
      ({ name, entry }) => `  case ${JSON.stringify(name)}: import(${JSON.stringify(entry)}); break;`,
    ),
    `  default: console.error('${nativeProgram} holds no agent ' + name);`,
    '}',
  ].join('\n');

if (process.argv[1] === import.meta.filename) {
  const agents = await agentProducts();
  const dir = join(projectFolder, 'dist/native');
  await compileNative(agents, command, dir);
  console.log(`dist/native: ${nativeProgram} with ${agents.map(({ name }) => name).join(', ')}`);
}
