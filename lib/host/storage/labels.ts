import { Failure } from '../../contract/outcome.ts';
import { commandTrouble, type Host } from '../host.ts';
import { targetIfThere } from '../local-files.ts';

// Devices by what is written on them. The monitor of a device that is named by its path does not load this.

export type Tag = 'UUID' | 'LABEL' | 'PARTUUID' | 'PARTLABEL';

/** The device that udev's link names. Costs no command; `undefined` where no udev runs. */
export async function linkedDevice(host: Host, tag: Tag, value: string): Promise<string | undefined> {
  const link = `/dev/disk/by-${tag.toLowerCase()}/${udevName(value)}`;
  return (await targetIfThere(host, link)) === undefined ? undefined : link;
}

const searchMs = 5000;
/** blkid(8): none of the devices has it. */
const noneHasIt = 2;

/**
 * The device found by reading the superblocks of all of them, of which any may have died. Throws `Failure` when that cannot be found
 * out.
 */
export async function searchDevice(host: Host, tag: Tag, value: string): Promise<string | undefined> {
  const argv = ['blkid', '-l', '-o', 'device', '-t', `${tag}=${value}`] as const;
  const output = await host.tryRun(argv, { timeoutMs: Math.min(searchMs, host.left() / 4) });
  if (output.code === noneHasIt) return undefined;
  if (output.code === 0) return output.stdout.trim() || undefined;
  throw new Failure('failed', `cannot tell which disk has ${tag} ${value}: ${commandTrouble(argv, output)}`);
}

/** udev writes every byte that is not plainly harmless as `\x20`. */
const udevName = (value: string): string =>
  value.replace(
    /[^A-Za-z0-9#+\-.:=@_\u0080-\uffff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
