/** In sectors of the lab's second disk, of which the state has the last ones; the data has all that is left once it has grown. */
const smallDisk = 312 * 2048;
const stateDisk = 32 * 2048;
const dataEnd = `$(($(blockdev --getsz /dev/ubdb) - ${stateDisk}))`;

/** The logical volumes of the page: the lab has no LVM, but what LVM is made of. */
export const makeVolumes = `modprobe dm-mod && dmsetup create nfs --table "0 ${smallDisk} linear /dev/ubdb 0" &&
dmsetup create nfs-state --table "0 ${stateDisk} linear /dev/ubdb ${dataEnd}"`;

export const growVolume = `dmsetup suspend nfs; dmsetup reload nfs --table "0 ${dataEnd} linear /dev/ubdb 0" && dmsetup resume nfs`;

/**
 * Everything that the lab's machines have otherwise than those of the page; names and addresses are the same. No udev runs there, which
 * would make the link in /dev/vg0.
 */
const substitutions: readonly (readonly [RegExp, (found: string, indent: string) => string])[] = [
  [/^lvextend .*$/gm, () => growVolume],
  // a loaded host stops the lab's machines for seconds: with DRBD's half second a link that is well would be cut
  [/^( *)ping-int 3;$/gm, (_found, indent) => `${indent}ping-int 1;\n${indent}ping-timeout 30;`],
  [/\/dev\/vg0\/nfs-state\b/g, () => '/dev/dm-1'],
  [/\/dev\/vg0\/nfs\b/g, () => '/dev/dm-0'],
];

/** A block's commands as the lab's machines can run them. */
export const forTheLab = (commands: string): string =>
  substitutions.reduce((text, [from, to]) => text.replace(from, to), commands);
