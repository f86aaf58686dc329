import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';
import { hash, type Suite, stateFolder } from '../settings.ts';
import type { Kernel } from './kernel.ts';
import { withLayers } from './layers.ts';
import { buildTree, removeOthers, treeKey } from './tree.ts';

/** `disk` is the root file system all machines share below their own copy-on-write files; `layers` the same as folders, top first. */
export interface Image {
  suite: Suite;
  key: string;
  disk: string;
  layers: string[];
  sshKey: string;
}

const here = (name: string): string => join(import.meta.dirname, name);
const lines = (name: string): string[] => readFileSync(here(name), 'utf8').trim().split('\n');

/** Administrators start these by hand on a new cluster, and so does the lab; the rest would only cost time at boot. */
const notAtBoot = ['corosync', 'pacemaker', 'pcsd', 'pcsd-ruby', 'nfs-server', 'logd', 'e2scrub_reap'];

/** Kernel modules the machines need, as paths below the module tree; UML's complete set would triple the image. */
const wantedModules = [
  ...['nfs', 'nfsd', 'nfs_common', 'lockd', 'fscache', 'netfs', 'configfs', 'fuse'].map(
    (name) => `kernel/fs/${name}`,
  ),
  ...['sunrpc', 'ipv4', 'ipv6', 'netfilter', 'dns_resolver', 'sched', 'core', 'packet'].map(
    (n) => `kernel/net/${n}`,
  ),
  ...['block', 'md/dm-mod.ko', 'watchdog', 'net/dummy.ko', 'net/ifb.ko'].map(
    (name) => `kernel/drivers/${name}`,
  ),
  ...['updates', 'extra'], // where modules of other makers are: DRBD 9
  'kernel/lib',
  'kernel/crypto',
];

async function imageKey(suite: Suite, kernel: Kernel): Promise<string> {
  const { stdout } = await execa(
    'tar',
    ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '-cC', here('files'), '.'],
    {
      encoding: 'buffer',
    },
  );
  const recipe = [here('masked-units.txt'), import.meta.filename].map((file) => readFileSync(file));
  const own = kernel.given ? [kernel.modules] : [];
  return hash(treeKey(suite), kernel.release, Buffer.from(stdout), ...recipe, ...own);
}

export async function buildImage(suite: Suite, kernel: Kernel, signal: AbortSignal): Promise<Image> {
  const key = await imageKey(suite, kernel);
  const tree = await buildTree(suite, signal);
  const folder = join(stateFolder, 'images', `${suite}-${key}`);
  const lab = join(folder, 'lab');
  const image = {
    suite,
    key,
    disk: join(folder, 'root.ext4'),
    layers: [lab, tree],
    sshKey: join(folder, 'ssh-key'),
  };
  if (existsSync(image.disk)) return image;

  await removeOthers(join(stateFolder, 'images'), suite);
  await fs.ensureDir(folder);
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', image.sshKey]);
  await withLayers([tree], lab, async (root) => {
    await prepare(root, kernel, `${image.sshKey}.pub`);
    await makeDisk(root, image.disk, signal);
  });
  return image;
}

async function prepare(root: string, kernel: Kernel, publicKey: string): Promise<void> {
  const inRoot = (path: string): string => join(root, path);
  await execa('cp', ['-a', '--no-preserve=ownership', `${here('files')}/.`, root]);
  await fs.ensureDir(inRoot('root/.ssh'), 0o700);
  await fs.copy(publicKey, inRoot('root/.ssh/authorized_keys'));
  await fs.chmod(inRoot('root/.ssh/authorized_keys'), 0o600);
  for (const empty of ['etc/fstab', 'etc/resolv.conf']) {
    await fs.remove(inRoot(empty));
    await fs.writeFile(inRoot(empty), '');
  }
  for (const folder of ['nfsdata', 'usr/lib/ocf/resource.d/tsha']) await fs.ensureDir(inRoot(folder));

  const units = 'etc/systemd/system';
  await link('/lib/systemd/system/multi-user.target', inRoot(`${units}/default.target`));
  for (const unit of lines('masked-units.txt')) await link('/dev/null', inRoot(`${units}/${unit}`));
  for (const unit of notAtBoot) await fs.remove(inRoot(`${units}/multi-user.target.wants/${unit}.service`));
  await fs.emptyDir(inRoot(`${units}/timers.target.wants`));

  await copyModules(kernel, root);
}

async function link(target: string, path: string): Promise<void> {
  await fs.remove(path);
  await fs.symlink(target, path);
}

async function copyModules({ modules, release }: Kernel, root: string): Promise<void> {
  const wanted = wantedModules.filter((path) => existsSync(join(modules, path)));
  const indexes = (await fs.readdir(modules)).filter((name) => /^modules\.(builtin|order)/.test(name));
  const target = join(root, 'lib/modules', release);
  for (const path of [...wanted, ...indexes]) await fs.copy(join(modules, path), join(target, path));
  await execa('chroot', [root, 'depmod', release]);
}

/** With a small journal: a killed machine boots again from what it had on disk. */
async function makeDisk(root: string, disk: string, signal: AbortSignal): Promise<void> {
  const unfinished = `${disk}.unfinished`;
  await fs.remove(unfinished);
  await execa('truncate', ['-s', '3G', unfinished]);
  const options = ['-J', 'size=16', '-E', 'lazy_itable_init=1,nodiscard', '-m', '0', '-d', root];
  await execa('mkfs.ext4', ['-q', '-F', ...options, unfinished], { cancelSignal: signal });
  await fs.move(unfinished, disk);
}
