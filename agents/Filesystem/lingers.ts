import { activeFilesystem } from '../../lib/host/storage/active-filesystem.ts';
import { isDriven } from './fstypes.ts';
import { openersOf } from './holders.ts';
import type { Ctx } from './params.ts';
import { drivenSource } from './release.ts';
import type { Seen } from './seen.ts';

/**
 * Whether the disk carries an active filesystem although it is mounted nowhere here, or a FUSE filesystem's driver still has it
 * open: only that it is so, never by whom.
 */
export async function lingers(ctx: Ctx, seen: Seen): Promise<boolean> {
  const { host, params } = ctx;
  const { number } = seen.wanted;
  if (number !== undefined && seen.table.some((mount) => mount.device === number)) return false;
  if (number !== undefined && (await activeFilesystem(host, number)) !== undefined) return true;
  if (!isDriven(params.fstype ?? '')) return false;
  const driven = await drivenSource(ctx, seen);
  return driven !== undefined && (await openersOf(host, driven)).length > 0;
}
