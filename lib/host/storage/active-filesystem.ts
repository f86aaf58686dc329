import type { Host } from '../host.ts';
import { isThere } from '../local-files.ts';
import { kernelName } from './block-devices.ts';

/** With a directory below /sys/fs that has an entry for each of their disks. */
export const typesWithSysfs = ['ext4', 'xfs', 'f2fs'];

/**
 * The type of the filesystem that the kernel has active on a device, wherever it is mounted: in another mount namespace, or
 * nowhere any more since a lazy unmount. Only ext2-4, xfs and f2fs tell.
 */
export async function activeFilesystem(host: Host, number: string): Promise<string | undefined> {
  const name = await kernelName(host, number);
  if (!name) return undefined;
  for (const type of typesWithSysfs) if (await isThere(host, `/sys/fs/${type}/${name}`)) return type;
  return undefined;
}
