import type { Host } from '../../lib/host/host.ts';
import { listIfThere, readIfThere } from '../../lib/host/local-files.ts';
import { activeFilesystem, typesWithSysfs } from '../../lib/host/storage/active-filesystem.ts';
import { deviceUnder, numberOf } from '../../lib/host/storage/block-devices.ts';
import { mounts } from '../../lib/host/storage/mounts.ts';
import { shareBtrfs } from './btrfs.ts';
import { isDriven } from './fstypes.ts';
import { rememberedDisk, rememberedLoop } from './last-known.ts';
import type { Ctx } from './params.ts';
import type { Seen } from './situation.ts';
import { devicePath } from './wanted.ts';

// A filesystem that the kernel still writes, although it is mounted nowhere here: only ext2-4, xfs, f2fs and btrfs tell.

/** The numbers of the disk that is asked for: the one that its name leads to, and the one that it led to when it was last seen. */
export async function askedDisks(ctx: Ctx, { wanted: { source, number } }: Seen): Promise<readonly string[]> {
  if (source.is !== 'disk' && source.is !== 'image') return [];
  const both = source.is === 'disk' ? [number, await rememberedDisk(ctx)] : [await rememberedLoop(ctx)];
  return [...new Set(both.filter((one) => one !== undefined))];
}

/**
 * Which of them it is about: the one with a stray filesystem, if there is such. A label that leads nowhere is searched for where the
 * answer may depend on it. Throws `Failure` when it cannot be found then.
 */
export async function strayDisk(ctx: Ctx, seen: Seen): Promise<string | undefined> {
  const { host, params } = ctx;
  const { source } = seen.wanted;
  const disks = await askedDisks(ctx, seen);
  for (const disk of disks) if (await isStray(host, disk)) return disk;
  if (disks.length > 0 || source.is !== 'disk' || 'path' in source.device) return disks[0];
  if (!isDriven(params.fstype ?? '') && !(await hasStray(host))) return undefined;
  const path = await devicePath(ctx, source.device, 'search');
  return path === undefined ? undefined : numberOf(host, path, await mounts(host));
}

/** Whether a disk has one. */
export async function isStray(host: Host, number: string): Promise<boolean> {
  const table = await mounts(host);
  if (table.some((mount) => mount.device === number)) return false; // in use elsewhere on this node, by somebody else
  if ((await activeFilesystem(host, number)) !== undefined) return true;
  if (!(await shareBtrfs(host, number))) return false;
  for (const mount of table) {
    if (mount.type !== 'btrfs') continue;
    const member = await deviceUnder(host, mount, table);
    if (member !== undefined && (await shareBtrfs(host, number, member))) return false;
  }
  return true;
}

/** Whether any disk has one. */
async function hasStray(host: Host): Promise<boolean> {
  for (const type of [...typesWithSysfs, 'btrfs'])
    for (const name of await listIfThere(host, `/sys/fs/${type}`)) {
      const members = type === 'btrfs' ? await listIfThere(host, `/sys/fs/btrfs/${name}/devices`) : [name];
      for (const member of members) {
        const number = (await readIfThere(host, `/sys/class/block/${member}/dev`))?.trim();
        if (number !== undefined && (await isStray(host, number))) return true;
      }
    }
  return false;
}
