import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';
import { stateFolder } from '../settings.ts';
import { unpackFrom } from './download.ts';

/** `root` holds linux.uml with the libc it needs; without it the host's libc does, and the host's kernel or the one given runs. */
export interface Kernel {
  root?: string;
  /** The user's own linux.uml. */
  given?: string;
  release: string;
  modules: string;
  /** Further words for its command line. */
  options: string[];
}

/** The user's own kernel; nothing when none is given. Throws when what is given cannot be one. */
export function givenKernel(env: NodeJS.ProcessEnv): Kernel | undefined {
  const { TSHA_LAB_KERNEL: given = '', TSHA_LAB_MODULES: modules = '', TSHA_LAB_KERNEL_OPTIONS = '' } = env;
  if (given === '' || given === 'host') return undefined;
  if (!given.endsWith('/linux.uml')) throw new Error(`TSHA_LAB_KERNEL=${given} is not a path of a linux.uml`);
  if (modules === '') throw new Error('TSHA_LAB_KERNEL needs TSHA_LAB_MODULES, the folder of its modules');
  for (const path of [given, modules])
    if (!fs.existsSync(path))
      throw new Error(`${path}, which TSHA_LAB_KERNEL or TSHA_LAB_MODULES names, is not there`);
  const options = TSHA_LAB_KERNEL_OPTIONS.split(/\s+/).filter(Boolean);
  return { given, release: basename(modules), modules, options };
}

const newRoot = join(stateFolder, 'kernel');
const modulesBelow = (root: string): string => join(root, 'usr/lib/uml/modules');

function kernelIn(root?: string): Kernel {
  const folder = modulesBelow(root ?? '/');
  const [release] = readdirSync(folder);
  if (!release) throw new Error(`no kernel modules in ${folder}`);
  return {
    ...(root && { root }),
    release,
    modules: join(folder, release),
    options: root ? ['seccomp=on'] : [],
  };
}

function cachedKernel(): Kernel | undefined {
  return fs.existsSync(join(newRoot, 'works')) ? kernelIn(newRoot) : undefined;
}

/**
 * Debian 12's own UML (6.1) traces every system call of a guest with ptrace. Since Linux 6.16 there is `seccomp=on`, which makes
 * process creation in the guest 4 to 5 times faster; it is in sid, and wants a newer libc than Debian 12's.
 */
export async function fetchKernel(signal: AbortSignal): Promise<Kernel> {
  const given = givenKernel(process.env);
  if (given) return given;
  if (process.env['TSHA_LAB_KERNEL'] === 'host') return kernelIn();
  const cached = cachedKernel();
  if (cached) return cached;
  await fs.remove(newRoot);
  try {
    await unpackNewKernel(signal);
    await proveItBoots(signal);
    await fs.writeFile(join(newRoot, 'works'), '');
    return kernelIn(newRoot);
  } catch (error) {
    if (signal.aborted) throw error;
    await fs.remove(newRoot);
    return kernelIn();
  }
}

async function unpackNewKernel(signal: AbortSignal): Promise<void> {
  await unpackFrom(
    ['trixie', 'sid'],
    ['user-mode-linux/sid', 'libc6/trixie', 'libgcc-s1/trixie'],
    newRoot,
    signal,
  );
  for (const folder of ['dev', 'proc', 'sys', 'tmp']) await fs.ensureDir(join(newRoot, folder));
  for (const link of ['lib', 'lib64'])
    if (!fs.existsSync(join(newRoot, link))) await fs.symlink(`usr/${link}`, join(newRoot, link));
  await fs.copy('/usr/bin/env', join(newRoot, 'usr/bin/env'));
}

/** Without a root file system the kernel gets as far as its own panic, which is all that is asked of it here. */
async function proveItBoots(signal: AbortSignal): Promise<void> {
  const uml = join(import.meta.dirname, '../machines/uml.sh');
  const { stdout } = await execa(
    uml,
    [newRoot, 'linux.uml', '/tmp', 'seccomp=on', 'mem=64M', 'panic=1', 'noreboot', 'con0=null,fd:1'],
    {
      all: true,
      reject: false,
      timeout: 30_000,
      cancelSignal: signal,
    },
  );
  if (!stdout.includes('Unable to mount root'))
    throw new Error(`the newer UML kernel does not boot here:\n${stdout}`);
}
