import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nativeProgram, setRuntime } from './launcher.ts';
import { agentNames, commandName, projectFolder } from './products.ts';

/** Pacemaker takes every executable file of the provider's directory for an agent, so the shared program has a place of its own. */
const agentDir = '/usr/lib/ocf/resource.d/tsha';
const programDir = '/usr/lib/ocf/lib/tsha';
const commandDir = '/usr/sbin';

const flavours = ['native', 'script'] as const;
type Flavour = (typeof flavours)[number];

export async function install(flavour: Flavour, root: string): Promise<void> {
  const built = join(projectFolder, flavour === 'native' ? 'dist/native' : 'dist');
  const program = `${programDir}/${nativeProgram}`;
  const runtime = flavour === 'native' ? program : nodeOf(root);
  if (flavour === 'native') await put(join(built, nativeProgram), join(root, program));
  const put1 = async (name: string, dir: string) => {
    const file = join(built, name);
    if (existsSync(file)) await put(file, join(root, dir, name), runtime);
  };
  for (const name of agentNames) await put1(name, agentDir);
  await put1(commandName, commandDir);
  if (flavour === 'script') await removeProgram(root);
  console.log(
    `installed the ${flavour} flavour in ${join(root, agentDir)}${runtime ? ` (runs ${runtime})` : ''}`,
  );
  if (!runtime)
    console.log(
      `no Node.js 20 or newer below ${root}: the agents will look for one when they are called, or use --native`,
    );
}

export async function uninstall(root: string): Promise<void> {
  for (const name of agentNames) await rm(join(root, agentDir, name), { force: true });
  await rm(join(root, commandDir, commandName), { force: true });
  await rmdirIfEmpty(join(root, agentDir));
  await removeProgram(root);
  console.log(`removed the agents from ${join(root, agentDir)}`);
}

/** A cluster may be running the file that is replaced: the new one appears at once and whole. */
async function put(from: string, to: string, runtime?: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  const draft = join(dirname(to), `.${nativeProgram}.new`);
  const content = await readFile(from);
  await writeFile(draft, runtime ? setRuntime(content.toString(), runtime) : content);
  await chmod(draft, 0o755);
  if (process.getuid?.() === 0) await chown(draft, 0, 0);
  await rename(draft, to);
}

async function removeProgram(root: string): Promise<void> {
  await rm(join(root, programDir, nativeProgram), { force: true });
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
