/** The nodes' second disk behind device mapper, which can make it fail, or hold every request, and take that back. */
export const lowerDisk = '/dev/dm-0'; // nobody makes /dev/mapper/lower: udev does not run here

const table = '"0 $(blockdev --getsz /dev/ubdb) linear /dev/ubdb 0"';

/** After every boot. */
export const layDisk = `modprobe dm-mod && dmsetup create lower --table ${table}`;

/** Every request from now on is answered with an error. */
export const failDisk = 'dmsetup wipe_table --noflush lower';

export const mendDisk = `dmsetup suspend --noflush lower; dmsetup reload lower --table ${table} && dmsetup resume lower`;

/** Every request for data waits from now on; DRBD's superblock, the last 4 KB, can still be read. */
export const holdDisk = `dmsetup create held --table ${table} && size=$(blockdev --getsz /dev/ubdb) && {
  echo "0 $((size - 8)) linear /dev/dm-1 0"
  echo "$((size - 8)) 8 linear /dev/ubdb $((size - 8))"
} > /run/held && dmsetup suspend --noflush lower && dmsetup reload lower /run/held && dmsetup resume lower &&
dmsetup suspend --noflush --nolockfs held`;
export const releaseDisk = 'dmsetup resume held';
