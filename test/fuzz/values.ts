import type { ParamSpec } from '../../lib/contract/params.ts';
import type { Random } from './random.ts';

// What the fuzzer puts into variables: values that mean something, and values that mean nothing.

/** What an ordinary resource of each agent is given, on the machine that `world.ts` makes; of each list one. */
export const ordinary: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>> = {
  drbd: [{ drbd_resource: 'data' }, { drbd_resource: 'data', ignore_missing_notifications: 'true' }],
  Filesystem: [
    { device: 'x', directory: '/run/m', fstype: 'tmpfs' },
    { device: '/tmp/src', directory: '/run/m/n', fstype: 'none', options: 'bind' },
    { device: '/dev/disk/by-label/nowhere', directory: '/run/m', fstype: 'ext4' },
  ],
  nfsserver: [
    { nfs_shared_infodir: '/tmp/src' },
    { nfs_shared_infodir: '/tmp/src', nfsv4_only: 'true' },
    { nfs_no_notify: 'true' },
  ],
  exportfs: [
    { directory: '/tmp/src', clientspec: '10.0.0.0/24', options: 'rw', fsid: '1' },
    { directory: '/tmp/src /tmp/other', clientspec: '*', fsid: '7', unlock_on_stop: '0' },
  ],
  nfsnotify: [{ source_host: '10.0.0.1' }, {}],
  IPaddr2: [
    { ip: '10.0.0.9', cidr_netmask: '24', nic: 'eth0' },
    { ip: '10.0.0.9' },
    { ip: 'fd00::9', cidr_netmask: '64', nic: 'eth0' },
    { ip: '10.0.0.9', cidr_netmask: '24', nic: 'eth0', arp_bg: 'false', run_arping: 'true' },
  ],
};

const words = [
  'yes',
  'no',
  'true',
  '0',
  'ja',
  'default',
  'none',
  'all',
  '-',
  '+',
  '*',
  '@',
  'x=y',
  '--help',
  '-h',
];
const numbers = ['-1', '00', '1e9', '0x10', '2147483648', '9'.repeat(30), '3.5', ' 7', '7 '];
const paths = [
  '/',
  '..',
  '/run',
  '/tmp/canary/sub',
  '../../tmp/canary/sub/file',
  '/tmp/nothing/here',
  '/tmp/src/./a//b/',
  '/tmp/link',
  '/tmp/fifo',
  '/dev/null',
  '/proc/self/mem',
  '/proc/self/root/tmp/canary',
  'relative/path',
  '/tmp/with blank',
];
const odd = [
  '',
  ' ',
  "'",
  '"',
  '$(touch /tmp/canary/touched)',
  '`touch /tmp/canary/touched`',
  ';touch /tmp/canary/touched',
  '\n',
  'a\nb',
  '\t',
  '\\',
  '%s%n',
  '-e',
  '__proto__',
  'constructor',
  'ünï',
  '名前',
  '\u202e',
  '10.0.0.9/24',
  '::1',
  'fe80::1%eth0',
  '10.0.0.0/8,10.0.0.1',
  'rw,ro,bind,loop,subvol=x',
];

/** A value of any kind, `Buffer` because some are no text. */
export function anyValue(random: Random): Buffer {
  switch (random.weighted({ odd: 5, path: 4, word: 2, number: 2, bytes: 3, long: 1 })) {
    case 'odd':
      return Buffer.from(random.pick(odd));
    case 'path':
      return Buffer.from(random.pick(paths));
    case 'word':
      return Buffer.from(random.pick(words));
    case 'number':
      return Buffer.from(random.pick(numbers));
    case 'bytes':
      return random.bytes(1 + random.below(24));
    case 'long':
      return longValue(random);
  }
}

function longValue(random: Random): Buffer {
  const piece = random.pick([
    'x',
    '/',
    'ä',
    '10.0.0.1 ',
    ',',
    '../',
    ':/',
    ' ',
    '\n',
    '\xff',
    '9',
    'a=b,',
    '%',
  ]);
  return Buffer.from(piece.repeat(1 + random.below(20_000)), 'latin1').subarray(0, 60_000);
}

/** A value that the parameter's declaration allows, or nearly so. */
export function fittingValue(spec: ParamSpec, random: Random): Buffer {
  switch (spec.type) {
    case 'boolean':
      return Buffer.from(random.pick(['true', 'false', '1', 'NO', 'Ja', 'maybe']));
    case 'integer':
      return Buffer.from(
        String(random.pick([0, 1, 2, 10, spec.min ?? 0, spec.max ?? 65_535, (spec.max ?? 9) + 1])),
      );
    case 'select':
      return Buffer.from(random.pick([...spec.options, 'none of these']));
    case 'string':
      return random.chance(0.5) ? Buffer.from(random.pick([...paths, ...words])) : anyValue(random);
  }
}

/** Names of instances: most are like Pacemaker's. */
export function anyInstance(random: Random): Buffer | undefined {
  switch (random.weighted({ plain: 70, clone: 10, odd: 16, none: 4 })) {
    case 'plain':
      return Buffer.from(random.pick(['nfs-root', 'NFS', 'vip', 'Data', 'a.b_c']));
    case 'clone':
      return Buffer.from(`Data:${random.below(3)}`);
    case 'odd':
      return random.pick([
        Buffer.from('tsha'),
        Buffer.from('..'),
        Buffer.from('a/b'),
        Buffer.from('../../../tmp/canary/sub/file'),
        Buffer.from('/tmp/canary/passwd'),
        Buffer.from('x'.repeat(300)),
        Buffer.from(' '),
        random.bytes(12),
      ]);
    case 'none':
      return undefined;
  }
}
