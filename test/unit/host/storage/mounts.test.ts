import { describe, expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { deviceNumber } from '../../../../lib/host/storage/block-devices.ts';
import {
  canonicalPath,
  coverOf,
  decodeOctal,
  isWithin,
  mountHolding,
  mountOn,
  mountsBelow,
  mountsOn,
  parseMountinfo,
  tidyPath,
} from '../../../../lib/host/storage/mounts.ts';
import { bytesOf } from '../../../../lib/host/sys/bytes.ts';
import { FakeMachine } from '../../../fake/machine.ts';

// Captured on Linux 6.18; a line break in a path was mounted on purpose.
const captured = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
24 22 0:22 / /proc rw,nosuid - proc proc rw
31 22 7:0 / /srv/a\\040b rw,relatime master:3 propagate_from:1 - ext4 /dev/loop0 rw,errors=remount-ro
32 31 0:45 / /srv/a\\040b/sub rw - tmpfs x\\011y rw,size=1024k
33 32 0:46 / /srv/a\\040b/sub/deep rw - tmpfs x rw
34 22 7:0 /d\\134e /bound ro,noexec - ext4 /dev/loop0 rw
35 22 0:50 /A /vol rw - btrfs /dev/loop3 rw,subvolid=256,subvol=/A
41 40 7:2 / /stack rw - ext4 /dev/loop2 rw
40 22 7:1 / /stack rw - ext4 /dev/loop1 rw
36 22 0:51 / /m\\303\\244rz\\012x rw - tmpfs x rw
`;
const table = parseMountinfo(captured);
const targets = (mounts: readonly { target: string }[]) => mounts.map(({ target }) => target);

describe('mountinfo', () => {
  test('fields, with any number of tags before the dash', () => {
    expect(table[2]).toEqual({
      id: 31,
      parent: 22,
      device: '7:0',
      root: '/',
      target: '/srv/a b',
      options: ['rw', 'relatime'],
      shared: undefined,
      master: '3',
      type: 'ext4',
      source: '/dev/loop0',
      superOptions: ['rw', 'errors=remount-ro'],
    });
  });
  test('peer groups', () => {
    expect(table.slice(0, 2).map(({ shared, master }) => [shared, master])).toEqual([
      ['1', undefined],
      [undefined, undefined],
    ]);
  });
  test('octal escapes are bytes of UTF-8', () => {
    expect(table[3]?.source).toBe('x\ty');
    expect(table[5]?.root).toBe('/d\\e');
    expect(table.at(-1)?.target).toBe('/märz\nx');
  });
  test('F9: escaped bytes that are no UTF-8 survive', () => {
    expect(bytesOf(decodeOctal('/a\\377b'))).toEqual(Buffer.from('/a\xffb', 'latin1'));
  });
  test('the visible one of a stack is the child, whatever the order of the lines', () => {
    expect(mountsOn(table, '/stack').map(({ source }) => source)).toEqual(['/dev/loop1', '/dev/loop2']);
    expect(mountOn(table, '/stack')?.source).toBe('/dev/loop2');
    expect(mountOn(table, '/srv')).toBeUndefined();
  });
  test('what is mounted below, children first', () => {
    const [mount] = mountsOn(table, '/srv/a b');
    expect(mount && targets(mountsBelow(table, mount))).toEqual(['/srv/a b/sub/deep', '/srv/a b/sub']);
  });
  test('the mount that holds a path', () => {
    expect(mountHolding(table, '/srv/a b/sub/x')?.id).toBe(32);
    expect(mountHolding(table, '/srv/a bc')?.id).toBe(22);
  });
});

// As the kernel lists what was mounted in this order, with 22 for the root.
test.each<[string, string, string, number, string | undefined]>([
  ['alone', '31 22 7:0 / /h/data rw - ext4 d rw', '/h/data', 31, undefined],
  ['over it', '31 22 7:0 / /h/data rw - ext4 d rw\n32 31 0:9 / /h/data rw - tmpfs x rw', '/h/data', 31, 'x'],
  [
    'over the directory above',
    '31 22 7:0 / /h/data rw - ext4 d rw\n32 22 0:9 / /h rw - tmpfs x rw',
    '/h',
    31,
    'x',
  ],
  [
    'what was there before',
    '32 22 0:9 / /h rw - tmpfs x rw\n31 32 7:0 / /h/data rw - ext4 d rw',
    '/h/data',
    31,
    undefined,
  ],
  [
    'over what holds it',
    '30 22 7:1 / /h rw - ext4 e rw\n31 30 7:0 / /h/data rw - ext4 d rw\n32 30 0:9 / /h rw - tmpfs x rw',
    '/h',
    31,
    'x',
  ],
  [
    'over the directory above a stack',
    '30 22 7:1 / /h/data rw - ext4 e rw\n31 30 7:0 / /h/data rw - ext4 d rw\n32 22 0:9 / /h rw - tmpfs x rw',
    '/h',
    31,
    'x',
  ],
  ['over /', '31 22 7:0 / /h/data rw - ext4 d rw\n32 22 0:9 / / rw - tmpfs x rw', '/h/data', 31, undefined],
  [
    'over a name that begins alike',
    '31 22 7:0 / /h/data rw - ext4 d rw\n32 22 0:9 / /h/d rw - tmpfs x rw',
    '/h/data',
    31,
    undefined,
  ],
])('what hides a mount: %s', (_what, lines, holder, id, cover) => {
  const all = parseMountinfo(`22 1 254:0 / / rw - ext4 /dev/root rw\n${lines}\n`);
  const mount = all.find((one) => one.id === id);
  expect(mount && coverOf(all, mount)?.source).toBe(cover);
  expect(mountHolding(all, '/h/data/file')?.target).toBe(holder);
});

test.each([
  ['/a', '/a', true],
  ['/a/b', '/a', true],
  ['/ab', '/a', false],
  ['/a', '/a/b', false],
  ['/a', '/', true],
] as const)('%s within %s: %s', (path, dir, expected) => {
  expect(isWithin(path, dir)).toBe(expected);
});

test.each([
  ['/a//b/', '/a/b'],
  ['///', '/'],
  ['/a/./b/../c', '/a/c'],
  ['/..', '/'],
])('tidy %s: %s', (path, expected) => {
  expect(tidyPath(path)).toBe(expected);
});

describe('canonical paths', () => {
  const machine = new FakeMachine();
  machine.links.set('/link', '/srv/a b');
  machine.links.set('/rel', 'srv/x/../y');
  machine.links.set('/loop', '/loop');
  machine.on('realpath', (args) => `${args.at(-1)?.replace('linked', 'real')}\0`);
  const host = hostOn(machine, 1e6);

  test.each([
    ['/srv/a b/', '/srv/a b', 'a mount point is no link'],
    ['/link', '/srv/a b', 'an absolute link'],
    ['/rel/z', '/srv/y/z', 'a relative link'],
    ['/gone/x', '/gone/x', 'what does not exist stays'],
    ['/loop/x', '/loop/x', 'a link to itself ends'],
    ['/srv/a b/linked', '/srv/a b/real', 'on another mount a child looks'],
  ])('%j is %j: %s', async (path, expected) => {
    expect(await canonicalPath(host, path, table)).toBe(expected);
  });

  test('a child looks only there', () => {
    expect(machine.ran).toEqual(['realpath -m -z -- /srv/a b/linked']);
  });
});

test.each([
  [0x0801, '8:1'],
  [0x700, '7:0'],
  [147 * 256 + 1, '147:1'],
  [(259 << 8) | 5, '259:5'],
  // makedev(0x12345, 0x6789a) of glibc: the upper bits of the major lie above 44, those of the minor above 20
  [0x12000 * 2 ** 32 + 0x678 * 2 ** 20 + 0x345 * 2 ** 8 + 0x9a, `${0x12345}:${0x6789a}`],
])('device number %i is %s', (rdev, expected) => {
  expect(deviceNumber(rdev)).toBe(expected);
});
