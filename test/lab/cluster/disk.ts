/** The nodes' second disk behind device mapper, which can make it fail, or hold every request, and take that back. */
export const lowerDisk = '/dev/dm-0'; // nobody makes /dev/mapper/lower: udev does not run here

const table = '"0 $(blockdev --getsz /dev/ubdb) linear /dev/ubdb 0"';

/** After every boot. */
export const layDisk = `modprobe dm-mod && dmsetup create lower --table ${table}`;

/** Every request from now on is answered with an error. */
export const failDisk = 'dmsetup wipe_table --noflush lower';

export const mendDisk = `dmsetup suspend --noflush lower; dmsetup reload lower --table ${table} && dmsetup resume lower`;
