import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from './bundle.ts';
import { makeCodeCache } from './code-cache.ts';
import {
  agentDir,
  cacheFiles,
  type File,
  type Flavour,
  filesOf,
  type Layout,
  ownDirs,
  programPath,
  runnerPath,
  unpackaged,
  zshDirs,
} from './files.ts';
import { agentNames } from './products.ts';

async function install(flavour: Flavour, root: string): Promise<void> {
  const runtime = flavour === 'native' ? programPath : nodeOf(root);
  const runner = flavour === 'script' && runtime ? runnerPath : undefined;
  const files = filesOf(flavour, { runtime, runner }, layoutOf(root));
  for (const file of files) await put(file, root);
  if (runtime && runner)
    for (const name of agentNames)
      makeCodeCache(join(root, runtime), join(root, runner), join(root, agentDir, name));
  // last: until it is replaced, an agent runs with what was installed with it
  const laid = [...files.map(({ path }) => path), ...(runner ? cacheFiles : [])];
  await remove(
    everyPath.filter((path) => !laid.includes(path)),
    root,
  );

  if (root === '/') makeFolders();
  console.log(
    `installed in ${join(root, agentDir)}: the ${flavour} flavour, run by ${runtime ?? 'a Node.js yet to be installed'}`,
  );
}

/** As the packages do: what tmpfiles.d would make at the next boot. Without systemd, or before Pacemaker is installed, that has to wait. */
function makeFolders(): void {
  try {
    execFileSync('systemd-tmpfiles', ['--create', 'tsha.conf'], { stdio: 'ignore' });
  } catch {}
}

async function uninstall(root: string): Promise<void> {
  await remove(everyPath, root);
  console.log(`removed the agents from ${join(root, agentDir)}`);
}

const debian: Layout = { ...unpackaged, zshDir: zshDirs.debian };
const layoutOf = (root: string): Layout =>
  existsSync(join(root, '/etc/debian_version')) ? debian : unpackaged;

/** Whatever any flavour lays: agents first, so that none is left without what it needs. */
const everyPath: readonly string[] = [
  ...new Set([
    ...filesOf('script', { runner: runnerPath }).map(({ path }) => path),
    ...filesOf('native', {}).map(({ path }) => path),
    ...filesOf('native', {}, debian).map(({ path }) => path),
    ...cacheFiles,
  ]),
].sort((a, b) => Number(b.startsWith(agentDir)) - Number(a.startsWith(agentDir)));

async function put({ path, mode, content }: File, root: string): Promise<void> {
  const to = join(root, path);
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  await replaceFile(to, await content(), mode);
  if (process.getuid?.() === 0) await chown(to, 0, 0);
}

async function remove(paths: readonly string[], root: string): Promise<void> {
  for (const path of paths) await rm(join(root, path), { force: true });
  for (const dir of ownDirs(unpackaged)) await rmdirIfEmpty(join(root, dir));
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
  process.umask(0o022); // Pacemaker asks for meta-data as an ordinary user, whatever the administrator's umask is
  const root = argument('--root') ?? '/';
  const flavour = process.argv.includes('--script') ? 'script' : 'native';
  await (process.argv[2] === 'uninstall' ? uninstall(root) : install(flavour, root));
}
