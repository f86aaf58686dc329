import { undeleted } from '../../lib/host/local-files.ts';
import { backingFile, serialOf } from '../../lib/host/storage/block-devices.ts';
import type { Mount } from '../../lib/host/storage/mounts.ts';
import { asideOf } from './force.ts';
import { remembered } from './mark.ts';
import type { Ctx } from './params.ts';
import type { Wanted } from './wanted.ts';

// A disk whose name leads nowhere now.

/** The number of the disk that its name led to when it was last seen, if it is the same disk still. */
export async function rememberedDisk(ctx: Ctx): Promise<string | undefined> {
  const mark = await remembered(ctx, 'disk');
  return mark && (await serialOf(ctx.host, mark.number)) === mark.serial ? mark.number : undefined;
}

/** The loop device of an image that was mounted, if it is the same image still. */
export async function rememberedLoop(ctx: Ctx): Promise<string | undefined> {
  const { host } = ctx;
  const { number, serial, file } = (await remembered(ctx, 'image')) ?? {};
  if (number === undefined || (await serialOf(host, number)) !== serial) return undefined;
  const behind = await backingFile(host, number);
  const isSame = serial !== undefined || (behind !== undefined && undeleted(behind) === file);
  return isSame ? number : undefined;
}

/** Whether a disk is mounted where ours may be, and nothing but its label, which no link names, says which disk is ours. */
export async function searchDecides(
  ctx: Ctx,
  { source, directory }: Wanted,
  table: readonly Mount[],
  atStart = directory,
): Promise<boolean> {
  if (source.is !== 'disk' || 'path' in source.device) return false;
  const places = [directory, atStart].flatMap((place) => [place, asideOf(place)]);
  const isDisks = (mount: Mount) => !mount.device.startsWith('0:') || mount.source.startsWith('/dev/');
  if (!table.some((mount) => places.includes(mount.target) && isDisks(mount))) return false;
  return (await rememberedDisk(ctx)) === undefined;
}
