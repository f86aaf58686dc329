import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
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
import { nodePlaces } from './launcher.ts';
import { uninstallGuard, unitScript } from './package/scripts.ts';
import { agentNames } from './products.ts';

async function install(flavour: Flavour, root: string): Promise<void> {
  const runtime = flavour === 'native' ? programPath : nodeOf(root);
  if (root === '/' && !runtime)
    throw new Refusal(
      `nothing is installed: there is no Node.js 20 or newer in any of ${nodePlaces.join(', ')}, and agents without it would fail every monitor and stop`,
    );
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

  if (root === '/') {
    makeFolders();
    shell(unitScript('tsha_reload_units'));
  }
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
  if (root === '/') {
    if (!shell(uninstallGuard())) throw new Refusal('nothing is removed');
    shell(unitScript('tsha_disable_units'));
  }
  await remove(everyPath, root);
  if (root === '/') shell(unitScript('tsha_reload_units'));
  console.log(`removed the agents from ${join(root, agentDir)}`);
}

/** Runs lines that the packages have, too; what they say is for the administrator. */
const shell = (lines: string): boolean =>
  spawnSync('sh', ['-c', lines], { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;

class Refusal extends Error {}

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

/** The Node of the system that is installed into; the one in the project's own cache would vanish with it. */
function nodeOf(root: string): string | undefined {
  // a range of characters means the same to the shell
  const found = nodePlaces.flatMap((place) => {
    const name = new RegExp(`^${basename(place)}$`);
    const dir = dirname(place);
    return namesIn(join(root, dir))
      .filter((one) => name.test(one))
      .map((one) => join(dir, one));
  });
  return found.find((place) => {
    const file = join(root, place);
    try {
      return Number(execFileSync(file, ['-p', 'process.versions.node.split(".")[0]'], { env: {} })) >= 20;
    } catch {
      return false; // of another architecture or C library: cannot be asked from here
    }
  });
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return []; // none of its own
  }
}

const argument = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};

if (process.argv[1] === import.meta.filename) {
  process.umask(0o022); // Pacemaker asks for meta-data as an ordinary user, whatever the administrator's umask is
  const root = resolve(argument('--root') ?? '/');
  const flavour = process.argv.includes('--script') ? 'script' : 'native';
  try {
    await (process.argv[2] === 'uninstall' ? uninstall(root) : install(flavour, root));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
