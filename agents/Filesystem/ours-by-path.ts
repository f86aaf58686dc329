import type { Host } from '../../lib/host/host.ts';
import { undeleted } from '../../lib/host/local-files.ts';
import { backingFile, deviceUnder, kernelName, serialOf } from '../../lib/host/storage/block-devices.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import {
  canonicalPath,
  isWithin,
  type Mount,
  mountHolding,
  mountsOn,
  tidyPath,
  unlinkedRoot,
} from '../../lib/host/storage/mounts.ts';
import { areKin } from './fstypes.ts';
import { remember, remembered } from './mark.ts';
import { type Candidate, isWhole, type Verdict } from './wanted.ts';

// What is recognised by a path: an image file, a bind mount, and a disk whose number says nothing.

/** An image is the file behind the loop device. */
export async function judgeImage({ ctx, wanted, mount, table }: Candidate<'image'>): Promise<Verdict> {
  const { host } = ctx;
  const there = await deviceUnder(host, mount, table);
  const file = there === undefined ? undefined : await backingFile(host, there);
  if (there === undefined || file === undefined) return 'foreign';
  const isFile = (path: string | undefined) => path === file || path === undeleted(file);
  const path = tidyPath(wanted.source.path);
  const before = await remembered(ctx, 'image');
  const ours = async (): Promise<Verdict> => {
    if (mount.type !== 'btrfs' && !isWhole(mount, ctx.params.options)) return 'foreign';
    const serial = await serialOf(host, there);
    await remember(ctx, { is: 'image', file: undeleted(file), number: there, serial });
    return 'ours';
  };
  if (isFile(path) || isFile(before?.file)) return ours();
  const real = await canonicalPath(host, path, table);
  const facts = isFile(real) ? undefined : await pathFacts(host, real);
  if (isFile(real) || (facts && (await isSameFile(host, facts, undeleted(file))))) return ours();
  if (facts) await remember(ctx, { is: 'image', file: real });
  return facts || before ? 'foreign' : undecided(`there is no ${path}`);
}

/** By another path: a hard link, or a bind mount of its directory. */
async function isSameFile(
  host: Host,
  { device, ino }: { readonly device: string; readonly ino: string },
  path: string,
): Promise<boolean> {
  const other = await pathFacts(host, path);
  return other?.device === device && other.ino === ino;
}

/** A bind mount is a directory: a superblock and a root within it. */
export async function judgeBind({ ctx, wanted, mount, table }: Candidate<'bind'>): Promise<Verdict> {
  const { host } = ctx;
  const others = table.filter((other) => other.id !== mount.id && !isCopyOfCover(other, mount, table));
  const shows = (mark: { readonly device: string; readonly root: string } | undefined) =>
    mark !== undefined && mark.device === mount.device && mark.root === unlinkedRoot(mount.root);
  const path = tidyPath(wanted.source.path);
  const before = await remembered(ctx, 'bind');
  const remains = { is: 'bind', device: mount.device, root: unlinkedRoot(mount.root) } as const;
  if (shows(rootOf(path, others))) {
    await remember(ctx, remains);
    return 'ours';
  }
  const real = await canonicalPath(host, path, others);
  const now = rootOf(real, others);
  if (shows(now)) {
    await remember(ctx, remains);
    return 'ours';
  }
  const isThere = (await pathFacts(host, real)) !== undefined;
  if (isThere && now) await remember(ctx, { is: 'bind', ...now });
  if (isThere || (before && before.device !== mount.device)) return 'foreign';
  return undecided(`there is no ${path}`);
}

/**
 * A bind mount and its source are peers unless somebody made them private: what is mounted over the one covers the other, too, and
 * is not what was asked for.
 */
function isCopyOfCover(other: Mount, { target }: Mount, table: readonly Mount[]): boolean {
  if (other.target === target) return false;
  const covers = mountsOn(table, target).slice(1);
  return covers.some(
    (cover) => cover.device === other.device && cover.root === other.root && arePeers(cover, other),
  );
}

const arePeers = (one: Mount, other: Mount): boolean =>
  [one.shared, one.master].some(
    (group) => group !== undefined && (group === other.shared || group === other.master),
  );

/** Where a path lies: the superblock and the path within it. */
function rootOf(
  path: string,
  table: readonly Mount[],
): { readonly device: string; readonly root: string } | undefined {
  const holder = mountHolding(table, path);
  if (!holder || !isWithin(path, holder.target)) return undefined;
  const rest = holder.target === '/' ? path : path.slice(holder.target.length);
  return { device: holder.device, root: tidyPath(`${unlinkedRoot(holder.root)}/${rest}`) };
}

/** A disk that nobody has seen yet, under a name that leads nowhere now; `there` is the number of the one that is mounted. */
export async function judgeUnknownDisk(
  { ctx: { host, params }, wanted, mount, table }: Candidate<'disk'>,
  there: string,
): Promise<Verdict> {
  const { device } = wanted.source;
  if (!('path' in device)) return undecided(`no disk with ${device.tag} ${device.value} is to be found`);
  const path = tidyPath(device.path);
  if (mount.source === path) return 'ours';
  const file = await backingFile(host, there);
  if (file !== undefined && [path, await canonicalPath(host, path, table)].includes(undeleted(file)))
    return 'ours';
  if (params.fstype && mount.type !== 'fuseblk' && !areKin(params.fstype, mount.type)) return 'foreign';
  // A name that is the kernel's own says which disk it was.
  const called = await kernelName(host, there);
  if (isKernelName(path) && called !== undefined) return path === `/dev/${called}` ? 'ours' : 'foreign';
  return undecided(`${path} is not there, and nobody has seen yet which disk it was`);
}

/** What lies on no disk is a disk's only where a directory was given in a disk's place, as for ecryptfs. */
export async function judgeWithoutDisk({ ctx, wanted, mount, table }: Candidate<'disk'>): Promise<Verdict> {
  const { device } = wanted.source;
  const { fstype } = ctx.params;
  if (!('path' in device)) return 'foreign';
  if (fstype && !areKin(fstype, mount.type)) return 'foreign';
  if (mount.source.startsWith('/dev/')) {
    // bcachefs on several disks: /dev/sdb:/dev/sdc, by whichever of them it was mounted
    const members = mount.source.split(':');
    const asked = device.path.split(':').map(tidyPath);
    const real = await Promise.all(asked.map((path) => canonicalPath(ctx.host, path, table)));
    return [...asked, ...real].some((path) => members.includes(path))
      ? 'ours'
      : undecided(`${mount.source} is not there any more`);
  }
  const path = await canonicalPath(ctx.host, device.path, table);
  return fstype &&
    [tidyPath(device.path), path].includes(tidyPath(mount.source)) &&
    mount.source.startsWith('/')
    ? 'ours'
    : 'foreign';
}

const undecided = (why: string): Verdict => ({ undecided: why });

const isKernelName = (path: string): boolean =>
  /^\/dev\/(drbd\d+|[shv]d[a-z]+\d*|xvd[a-z]+\d*|loop\d+|nvme\d+n\d+(p\d+)?|dm-\d+|md\d+(p\d+)?|sr\d+)$/.test(
    path,
  );
