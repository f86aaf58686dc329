import type { Host } from '../host.ts';
import type { FileFacts } from '../sys/sys.ts';
import { pathFacts } from './managed-files.ts';
import { answersHere, canonicalPath, type Mount } from './mounts.ts';

/** `major:minor` as mountinfo and /sys/dev have it; the kernel packs both into st_rdev, low bits first. */
export function deviceNumber(rdev: number): string {
  const high = Math.floor(rdev / 2 ** 32);
  const low = rdev % 2 ** 32;
  const major = ((low >>> 8) & 0xfff) + Math.floor(high / 2 ** 12) * 2 ** 12;
  const minor = (low & 0xff) + (low >>> 20) * 2 ** 8 + (high % 2 ** 12) * 2 ** 20;
  return `${major}:${minor}`;
}

export type Node = { readonly kind: FileFacts['kind']; readonly number?: string };

/** What lies at a path, links followed: for a block device with its `major:minor`. Below /dev it is looked at in this process. */
export async function nodeAt(host: Host, path: string, table: readonly Mount[]): Promise<Node | undefined> {
  const real = await canonicalPath(host, path, table);
  if (!answersHere(real, table)) {
    const facts = await pathFacts(host, real);
    return facts && { kind: facts.kind };
  }
  const facts = await host.sys.facts(real).catch(() => undefined);
  if (!facts) return undefined;
  return facts.kind === 'block' ? { kind: 'block', number: deviceNumber(facts.rdev) } : { kind: facts.kind };
}

/** The number of the device that a mount lives on; `undefined` for one without. btrfs shows an anonymous number there. */
export async function deviceUnder(
  host: Host,
  mount: Mount,
  table: readonly Mount[],
): Promise<string | undefined> {
  if (!mount.device.startsWith('0:')) return mount.device;
  return mount.source.startsWith('/dev/') ? (await nodeAt(host, mount.source, table))?.number : undefined;
}

export type Tag = 'UUID' | 'LABEL' | 'PARTUUID' | 'PARTLABEL';

/** The device that udev's link names. Costs no command; `undefined` where no udev runs. */
export async function linkedDevice(host: Host, tag: Tag, value: string): Promise<string | undefined> {
  const link = `/dev/disk/by-${tag.toLowerCase()}/${udevName(value)}`;
  return (await host.sys.target(link).catch(() => undefined)) === undefined ? undefined : link;
}

/** The device found by reading the superblocks of all of them. */
export async function searchDevice(host: Host, tag: Tag, value: string): Promise<string | undefined> {
  const { code, stdout } = await host.tryRun(['blkid', '-l', '-o', 'device', '-t', `${tag}=${value}`]);
  return code === 0 ? stdout.trim() || undefined : undefined;
}

/** udev writes every byte that is not plainly harmless as `\x20`. */
const udevName = (value: string): string =>
  value.replace(
    /[^A-Za-z0-9#+\-.:=@_\u0080-\uffff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

/** Whether the kernel still has the device: a disk that was pulled keeps its mount, but not its entry here. */
export const isPresent = async (host: Host, number: string): Promise<boolean> =>
  (await kernelName(host, number)) !== undefined;

/** Whether two devices are members of one btrfs: it mounts under the name of any of them. */
export async function shareBtrfs(host: Host, ...numbers: readonly string[]): Promise<boolean> {
  const names = await Promise.all(numbers.map((number) => kernelName(host, number)));
  for (const filesystem of await host.sys.list('/sys/fs/btrfs').catch(() => [])) {
    const members = await host.sys
      .list(`/sys/fs/btrfs/${filesystem}/devices`)
      .catch((): readonly string[] => []);
    if (names.every((name) => name !== undefined && members.includes(name))) return true;
  }
  return false;
}

const kernelName = async (host: Host, number: string): Promise<string | undefined> =>
  (await host.sys.target(`/sys/dev/block/${number}`).catch(() => undefined))?.split('/').at(-1);

const typesWithSysfs = ['ext4', 'xfs', 'f2fs'];

/**
 * The type of the filesystem that the kernel has active on a device, wherever it is mounted: in another mount namespace, or
 * nowhere any more since a lazy unmount. Only ext2-4, xfs and f2fs tell.
 */
export async function activeFilesystem(host: Host, number: string): Promise<string | undefined> {
  const name = await kernelName(host, number);
  if (!name) return undefined;
  for (const type of typesWithSysfs)
    if (await host.sys.facts(`/sys/fs/${type}/${name}`).catch(() => undefined)) return type;
  return undefined;
}
