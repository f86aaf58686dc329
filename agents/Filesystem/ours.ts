import {
  backingFile,
  deviceUnder,
  kernelName,
  serialOf,
  shareBtrfs,
} from '../../lib/host/storage/block-devices.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import {
  canonicalPath,
  isWithin,
  type Mount,
  mountHolding,
  tidyPath,
} from '../../lib/host/storage/mounts.ts';
import { areKin, familyOf, isRewritten, isServed } from './fstypes.ts';
import type { Ctx } from './params.ts';
import type { Verdict, Wanted } from './wanted.ts';

// The one rule that says whether a mount is what the parameters ask for.

/**
 * By what a source was recognised when its name still led to it, kept until the next boot: a name may vanish, or lead elsewhere.
 * A disk by its number and what tells it from a later one of this number; an image by the file's path without links; a bind
 * mount by superblock and root; a name by what the mount table made of it.
 */
export type Mark =
  | {
      readonly is: 'disk';
      readonly number: string;
      readonly serial: string | undefined;
      /** Of btrfs, where ours was mounted. */
      readonly subvolume?: string;
    }
  | { readonly is: 'image'; readonly file: string }
  | { readonly is: 'bind'; readonly device: string; readonly root: string }
  | { readonly is: 'named'; readonly type: string; readonly name: string };

type Judge<Is extends Wanted['source']['is']> = {
  readonly ctx: Ctx;
  readonly wanted: Wanted & { readonly source: { readonly is: Is } };
  readonly mount: Mount;
  readonly table: readonly Mount[];
};

/** Whether this very mount is ours; notes the mark of what was recognised. */
export async function judge(
  ctx: Ctx,
  wanted: Wanted,
  mount: Mount,
  table: readonly Mount[],
): Promise<Verdict> {
  const { source } = wanted;
  // It waits for the first who comes by, and mounts something then.
  if (mount.type === 'autofs' && ctx.params.fstype !== 'autofs') return 'foreign';
  switch (source.is) {
    case 'memory':
      return mount.type === source.type ? 'ours' : 'foreign';
    case 'disk':
      return judgeDisk({ ctx, wanted: { ...wanted, source }, mount, table });
    case 'image':
      return judgeImage({ ctx, wanted: { ...wanted, source }, mount, table });
    case 'bind':
      return judgeBind({ ctx, wanted: { ...wanted, source }, mount, table });
    case 'named':
      return judgeNamed({ ctx, wanted: { ...wanted, source }, mount, table });
  }
}

/** A disk is its number; of btrfs any member, and the subvolume that was asked for. */
async function judgeDisk({ ctx, wanted, mount, table }: Judge<'disk'>): Promise<Verdict> {
  const { host, params } = ctx;
  const { device } = wanted.source;
  const there = await deviceUnder(host, mount, table);
  if (there === undefined) return judgeWithoutDisk({ ctx, wanted, mount, table });
  const isDisk = async (number: string) =>
    number === there || (mount.type === 'btrfs' && (await shareBtrfs(host, number, there)));
  const before = await remembered(ctx, 'disk');
  const serial = before && (await serialOf(host, before.number));
  const isOther = serial !== undefined && before?.serial !== undefined && serial !== before.serial;
  const known = [wanted.number, isOther ? undefined : before?.number].filter(
    (number) => number !== undefined,
  );
  for (const number of known)
    if (await isDisk(number)) {
      if (mount.type === 'btrfs') return judgeSubvolume(ctx, mount, there, before);
      await remember(ctx, await diskMark(ctx, there));
      return 'ours';
    }
  if (wanted.number !== undefined) await remember(ctx, await diskMark(ctx, wanted.number));
  // Its number went to another disk since.
  if (known.length > 0 || before?.number === there) return 'foreign';
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

const diskMark = async ({ host }: Ctx, number: string) =>
  ({ is: 'disk', number, serial: await serialOf(host, number) }) as const;

async function judgeSubvolume(
  ctx: Ctx,
  mount: Mount,
  there: string,
  before: (Mark & { readonly is: 'disk' }) | undefined,
): Promise<Verdict> {
  const btrfs = await import('./btrfs.ts');
  const verdict = await btrfs.judgeSubvolume(ctx, mount, before?.subvolume);
  const subvolume = verdict === 'ours' ? { subvolume: btrfs.subvolumeOf(mount).id } : {};
  await remember(ctx, { ...(await diskMark(ctx, there)), ...subvolume });
  return verdict;
}

/** What lies on no disk is a disk's only where a directory was given in a disk's place, as for ecryptfs. */
async function judgeWithoutDisk({ ctx, wanted, mount, table }: Judge<'disk'>): Promise<Verdict> {
  const { device } = wanted.source;
  const { fstype } = ctx.params;
  if (!('path' in device)) return 'foreign';
  if (fstype && !areKin(fstype, mount.type)) return 'foreign';
  if (mount.source.startsWith('/dev/'))
    return mount.source === tidyPath(device.path)
      ? 'ours'
      : undecided(`${mount.source} is not there any more`);
  const path = await canonicalPath(ctx.host, device.path, table);
  return fstype &&
    [tidyPath(device.path), path].includes(tidyPath(mount.source)) &&
    mount.source.startsWith('/')
    ? 'ours'
    : 'foreign';
}

/** An image is the file behind the loop device. */
async function judgeImage({ ctx, wanted, mount, table }: Judge<'image'>): Promise<Verdict> {
  const { host } = ctx;
  const there = await deviceUnder(host, mount, table);
  const file = there === undefined ? undefined : await backingFile(host, there);
  if (file === undefined) return 'foreign';
  const isFile = (path: string | undefined) => path === file || path === undeleted(file);
  const path = tidyPath(wanted.source.path);
  const before = await remembered(ctx, 'image');
  if (isFile(path) || isFile(before?.file)) {
    await remember(ctx, { is: 'image', file: undeleted(file) });
    return 'ours';
  }
  const real = await canonicalPath(host, path, table);
  const facts = isFile(real) ? undefined : await pathFacts(host, real);
  if (isFile(real) || (facts && (await isSameFile(ctx, facts, undeleted(file))))) {
    await remember(ctx, { is: 'image', file: undeleted(file) });
    return 'ours';
  }
  if (facts) await remember(ctx, { is: 'image', file: real });
  return facts || before ? 'foreign' : undecided(`there is no ${path}`);
}

/** By another path: a hard link, or a bind mount of its directory. */
async function isSameFile(
  { host }: Ctx,
  { device, ino }: { readonly device: string; readonly ino: string },
  path: string,
): Promise<boolean> {
  const other = await pathFacts(host, path);
  return other?.device === device && other.ino === ino;
}

/** A bind mount is a directory: a superblock and a root within it. */
async function judgeBind({ ctx, wanted, mount, table }: Judge<'bind'>): Promise<Verdict> {
  const { host } = ctx;
  const others = table.filter(({ id }) => id !== mount.id);
  const shows = (mark: { readonly device: string; readonly root: string } | undefined) =>
    mark !== undefined && mark.device === mount.device && mark.root === unlinked(mount.root);
  const path = tidyPath(wanted.source.path);
  const before = await remembered(ctx, 'bind');
  const remains = { is: 'bind', device: mount.device, root: unlinked(mount.root) } as const;
  if (shows(rootOf(path, others)) || shows(before)) {
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

/** Where a path lies: the superblock and the path within it. */
function rootOf(
  path: string,
  table: readonly Mount[],
): { readonly device: string; readonly root: string } | undefined {
  const holder = mountHolding(table, path);
  if (!holder || !isWithin(path, holder.target)) return undefined;
  const rest = holder.target === '/' ? path : path.slice(holder.target.length);
  return { device: holder.device, root: tidyPath(`${unlinked(holder.root)}/${rest}`) };
}

/** A server's, a FUSE or a virtual filesystem is its type's family and its name. */
async function judgeNamed({ ctx, wanted, mount, table }: Judge<'named'>): Promise<Verdict> {
  const { name, family } = wanted.source;
  if (family === undefined ? !isServed(mount.type) : !areKin(family, mount.type)) return 'foreign';
  const before = await remembered(ctx, 'named');
  const { hasOtherLayers, sourceName } = await import('./names.ts');
  if (familyOf(mount.type) === 'overlay')
    return hasOtherLayers(mount, ctx.params.options) ? 'foreign' : 'ours';
  const shows = (other: string) => sourceName(other, mount) === sourceName(mount.source, mount);
  if (shows(name) || (before?.type === mount.type && before.name === mount.source)) {
    await remember(ctx, { is: 'named', type: mount.type, name: mount.source });
    return 'ours';
  }
  if (name.startsWith('/') && !name.startsWith('//') && shows(await canonicalPath(ctx.host, name, table)))
    return 'ours';
  return !before && isRewritten(familyOf(mount.type), mount.source)
    ? undecided(`${mount.type} does not show what it was mounted from`)
    : 'foreign';
}

const undecided = (why: string): Verdict => ({ undecided: why });

/** The kernel's words for a backing file, and for a root, that was removed since. */
const undeleted = (file: string): string => file.replace(/ \(deleted\)$/, '');
const unlinked = (root: string): string => root.replace(/\/\/deleted$/, '') || '/';

const isKernelName = (path: string): boolean =>
  /^\/dev\/(drbd\d+|[shv]d[a-z]+\d*|xvd[a-z]+\d*|loop\d+|nvme\d+n\d+(p\d+)?|dm-\d+|md\d+(p\d+)?|sr\d+)$/.test(
    path,
  );

/** With what was asked for then: another device is another disk, another subvolume another tree. */
type Page = { readonly asked: string; readonly mark: Mark };

const askedFor = ({ device, options }: Ctx['params']): string =>
  [device.trim(), ...options.split(',').filter((option) => option.includes('subvol'))].join(',');

async function remembered<Is extends Mark['is']>(
  { params, memory }: Ctx,
  is: Is,
): Promise<(Mark & { readonly is: Is }) | undefined> {
  const page = await memory.fact<Page>('source');
  return page?.asked === askedFor(params) && page.mark.is === is
    ? (page.mark as Mark & { readonly is: Is })
    : undefined;
}

/** Written once: a steady monitor finds what it would write. */
export async function remember({ params, memory }: Ctx, mark: Mark): Promise<void> {
  const page: Page = { asked: askedFor(params), mark };
  const known = await memory.fact<Page>('source');
  if (JSON.stringify(known) !== JSON.stringify(page)) await memory.keep('source', page);
}
