import type { Host } from '../host.ts';
import { targetIfThere } from '../local-files.ts';

// Devices by what is written on them. The monitor of a device that is named by its path does not load this.

export type Tag = 'UUID' | 'LABEL' | 'PARTUUID' | 'PARTLABEL';

/** The device that udev's link names. Costs no command; `undefined` where no udev runs. */
export async function linkedDevice(host: Host, tag: Tag, value: string): Promise<string | undefined> {
  const link = `/dev/disk/by-${tag.toLowerCase()}/${udevName(value)}`;
  return (await targetIfThere(host, link)) === undefined ? undefined : link;
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
