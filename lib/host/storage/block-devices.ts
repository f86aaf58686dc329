import type { Host } from '../host.ts';
import { factsIfThere, readIfThere, targetIfThere } from '../local-files.ts';
import type { FileFacts } from '../sys/sys.ts';
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

/**
 * What lies at a path, links followed: for a block device with its `major:minor`. Below /dev it is looked at in this process.
 * `undefined` only where there is nothing; throws `Failure` when that cannot be found out.
 */
export async function nodeAt(host: Host, path: string, table: readonly Mount[]): Promise<Node | undefined> {
  const real = await canonicalPath(host, path, table);
  if (!answersHere(real, table)) {
    const { pathFacts } = await import('./managed-files.ts');
    const facts = await pathFacts(host, real);
    return facts && { kind: facts.kind };
  }
  const facts = await factsIfThere(host, real);
  if (!facts) return undefined;
  return facts.kind === 'block' ? { kind: 'block', number: deviceNumber(facts.rdev) } : { kind: facts.kind };
}

/** The number of the block device at a path, or of the one that the kernel calls so, although its node below /dev is gone. */
export async function numberOf(
  host: Host,
  path: string,
  table: readonly Mount[],
): Promise<string | undefined> {
  const node = await nodeAt(host, path, table);
  if (node) return node.number;
  const name = /^\/dev\/([^/]+)$/.exec(path)?.[1];
  return name === undefined ? undefined : (await readIfThere(host, `/sys/class/block/${name}/dev`))?.trim();
}

/**
 * What tells a device from a later one with the same number: the mapper's UUID, or the kernel's serial number of disks (diskseq,
 * since Linux 5.15). `undefined` for a device that is gone, and on older kernels.
 */
export async function serialOf(host: Host, number: string): Promise<string | undefined> {
  const uuid = (await readIfThere(host, `/sys/dev/block/${number}/dm/uuid`))?.trim();
  if (uuid) return uuid;
  const read = (dir: string) => readIfThere(host, `/sys/dev/block/${number}/${dir}diskseq`);
  return ((await read('')) ?? (await read('../')))?.trim(); // a partition has its disk's
}

/** The file behind a loop device, as the kernel names it; `undefined` for what is no loop device. */
export async function backingFile(host: Host, number: string): Promise<string | undefined> {
  const text = await readIfThere(host, `/sys/dev/block/${number}/loop/backing_file`);
  return text?.replace(/\n$/, '');
}

/** The number of the device that a mount lives on; `undefined` for one without. btrfs and FUSE show an anonymous number there. */
export async function deviceUnder(
  host: Host,
  mount: Mount,
  table: readonly Mount[],
): Promise<string | undefined> {
  if (!mount.device.startsWith('0:')) return mount.device;
  return mount.source.startsWith('/dev/') ? numberOf(host, mount.source, table) : undefined;
}

/** Whether the kernel still has the device: a disk that was pulled keeps its mount, but not its entry here. */
export const isPresent = async (host: Host, number: string): Promise<boolean> =>
  (await kernelName(host, number)) !== undefined;

/** What the kernel calls a device: `sda1`, `dm-0`; `undefined` for one that is gone. */
export const kernelName = async (host: Host, number: string): Promise<string | undefined> =>
  (await targetIfThere(host, `/sys/dev/block/${number}`))?.split('/').at(-1);
