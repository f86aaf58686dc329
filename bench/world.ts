import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

// The bench runs in namespaces of its own: mounts, network and processes that nobody else sees and that end with it. It is the
// first process in them.

const marker = 'TSHA_BENCH_WORLD';

/** The folder of the world, when this process is in it. */
export const worldFolder = (): string | undefined => process.env[marker];

/** Starts this program once more, in a world; its exit status. */
export async function enterWorld(): Promise<number> {
  const folder = mkdtempSync('/tmp/tsha-bench-');
  const unshare = ['-mnpf', '--kill-child', '--mount-proc', '--propagation', 'private'];
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  try {
    const { exitCode } = await execa('unshare', [...unshare, ...self], {
      stdio: 'inherit',
      reject: false,
      env: { [marker]: folder },
    });
    return exitCode ?? 1;
  } finally {
    const { stdout } = await execa('losetup', ['-nO', 'NAME,BACK-FILE'], { reject: false });
    for (const line of stdout.split('\n')) {
      const [device = '', file = ''] = line.trim().split(/\s+/);
      if (file.startsWith(`${folder}/`)) await execa('losetup', ['-d', device], { reject: false });
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

const ip = (line: string) => execa('ip', line.split(' '));

/** A network card with a cable, empty state directories, and the kernel's files of an NFS server with eight threads. */
export async function furnish(folder: string): Promise<void> {
  await ip('link set lo up');
  await ip('link add eth0 type veth peer name p0');
  for (const nic of ['eth0', 'p0']) await ip(`link set ${nic} up`);
  await ip('address add 10.99.0.1/16 brd + dev eth0');
  for (const dir of ['/run', '/var/lib/nfs', '/proc/fs/nfsd'])
    await execa('mount', ['-t', 'tmpfs', 'bench', dir]);
  for (const dir of ['/run/rpcbind', '/var/lib/nfs/sm', '/var/lib/nfs/sm.bak']) mkdirSync(dir);
  for (const file of ['etab', 'rmtab']) writeFileSync(join('/var/lib/nfs', file), '');
  writeFileSync('/proc/fs/nfsd/threads', '8\n');
  writeFileSync('/proc/fs/nfsd/unlock_filesystem', '');
  mkdirSync(join(folder, 'memory'));
}

/** A loop device with a new ext4 on it. */
export async function disk(folder: string, name: string): Promise<string> {
  const file = join(folder, `${name}.img`);
  await execa('truncate', ['-s', '64M', file]);
  await execa('mkfs.ext4', ['-q', '-F', file]);
  return (await execa('losetup', ['-f', '--show', file])).stdout;
}
