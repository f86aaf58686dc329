/** Sectors of the lab's second disk that the logical volume has at first; all of it once it has grown. */
const smallDisk = 344 * 2048;

/** The logical volume of the page: the lab has no LVM, but what LVM is made of. */
export const makeVolume = `modprobe dm-mod && dmsetup create nfs --table "0 ${smallDisk} linear /dev/ubdb 0"`;

/** `$$` is a dollar sign for `replace`. */
const growVolume =
  'dmsetup suspend nfs; dmsetup reload nfs --table "0 $$(blockdev --getsz /dev/ubdb) linear /dev/ubdb 0" && dmsetup resume nfs';

/**
 * Everything that the lab's machines have otherwise than those of the page; names and addresses are the same. No udev runs there, which
 * would make the link in /dev/vg0.
 */
const substitutions: readonly (readonly [RegExp, string])[] = [
  [/^lvextend .*$/gm, growVolume],
  // a loaded host stops the lab's machines for seconds: with DRBD's half second a link that is well would be cut
  [/^( *)ping-int 3;$/gm, '$1ping-int 1;\n$1ping-timeout 30;'],
  [/\/dev\/vg0\/nfs\b/g, '/dev/dm-0'],
];

/** A block's commands as the lab's machines can run them. */
export const forTheLab = (commands: string): string =>
  substitutions.reduce((text, [from, to]) => text.replace(from, to), commands);
