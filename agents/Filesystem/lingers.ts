import { openersOf } from './holders.ts';
import type { Ctx } from './params.ts';
import { drivenSource } from './release.ts';
import type { Seen } from './situation.ts';
import { isStray, strayDisk } from './stray.ts';

/**
 * Whether the disk carries an active filesystem although it is mounted nowhere here, or a FUSE filesystem's driver still has it
 * open: only that it is so, never by whom.
 */
export async function lingers(ctx: Ctx, seen: Seen): Promise<boolean> {
  const { host, params } = ctx;
  const disk = await strayDisk(ctx, seen);
  if (disk !== undefined && (await isStray(host, disk))) return true;
  if (seen.table.some((mount) => mount.device === disk)) return false;
  const driven = await drivenSource(ctx, seen, disk, params.fstype);
  return driven !== undefined && (await openersOf(host, driven)).length > 0;
}
