import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceExecutable } from './bundle.ts';
import { cachedRunner, cachedRunnerSource, cacheOf, makeCodeCache } from './code-cache.ts';
import { nativeProgram, type Places, setPlaces } from './launcher.ts';
import { agentNames, commandName, projectFolder } from './products.ts';

/** Pacemaker takes every executable file of the provider's directory for an agent, so the shared program has a place of its own. */
const agentDir = '/usr/lib/ocf/resource.d/tsha';
const programDir = '/usr/lib/ocf/lib/tsha';
const commandDir = '/usr/sbin';

const flavours = ['native', 'script'] as const;
type Flavour = (typeof flavours)[number];

async function install(flavour: Flavour, root: string): Promise<void> {
  const built = join(projectFolder, flavour === 'native' ? 'dist/native' : 'dist');
  const runtime = flavour === 'native' ? `${programDir}/${nativeProgram}` : nodeOf(root);
  const runner = flavour === 'script' && runtime ? `${programDir}/${cachedRunner}` : undefined;
  if (flavour === 'native') await put(join(built, nativeProgram), join(root, programDir, nativeProgram));
  if (runner) await put(cachedRunnerSource, join(root, runner));
  for (const name of agentNames) {
    const file = join(root, agentDir, name);
    await put(join(built, name), file, { runtime, runner });
    if (runtime && runner) makeCodeCache(join(root, runtime), join(root, runner), file);
  }
  await put(join(built, commandName), join(root, commandDir, commandName), { runtime });
  // last: until it is replaced, an agent runs with what was installed with it
  await removePrograms(root, (name) => (name === nativeProgram ? flavour !== 'native' : !runner));

  console.log(
    `installed in ${join(root, agentDir)}: the ${flavour} flavour, run by ${runtime ?? 'a Node.js yet to be installed'}`,
  );
}

async function uninstall(root: string): Promise<void> {
  for (const name of agentNames) await rm(join(root, agentDir, name), { force: true });
  await rm(join(root, commandDir, commandName), { force: true });
  await rmdirIfEmpty(join(root, agentDir));
  await removePrograms(root);
  console.log(`removed the agents from ${join(root, agentDir)}`);
}

async function put(from: string, to: string, places?: Places): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  const content = await readFile(from);
  await replaceExecutable(to, places ? setPlaces(content.toString(), places) : content);
  if (process.getuid?.() === 0) await chown(to, 0, 0);
}

async function removePrograms(root: string, which = (_name: string) => true): Promise<void> {
  for (const name of [nativeProgram, cachedRunner, ...agentNames.map(cacheOf)].filter(which))
    await rm(join(root, programDir, name), { force: true });
  await rmdirIfEmpty(join(root, programDir));
}

async function rmdirIfEmpty(dir: string): Promise<void> {
  await rmdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error;
  });
}

const nodePlaces = [
  '/usr/bin/node',
  '/usr/local/bin/node',
  '/usr/lib/tsha/bin/node',
  '/usr/bin/node-22',
  '/usr/bin/node22',
];

/** The Node of the system that is installed into; the one in the project's own cache would vanish with it. */
function nodeOf(root: string): string | undefined {
  return nodePlaces.find((place) => {
    const file = join(root, place);
    if (!existsSync(file)) return false;
    try {
      return Number(execFileSync(file, ['-p', 'process.versions.node.split(".")[0]'], { env: {} })) >= 20;
    } catch {
      return false; // of another architecture or C library: cannot be asked from here
    }
  });
}

const argument = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};

if (process.argv[1] === import.meta.filename) {
  const root = argument('--root') ?? '/';
  const flavour = process.argv.includes('--script') ? 'script' : 'native';
  await (process.argv[2] === 'uninstall' ? uninstall(root) : install(flavour, root));
}
