import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { readForce, readSeconds, readSignals } from '../../../../agents/Filesystem/force.ts';
import { hasOption, sourceOf } from '../../../../agents/Filesystem/wanted.ts';
import { signalName, signalNumber } from '../../../../lib/host/sys/signals.ts';

describe('what device means', () => {
  const block = (path: string) => ({ is: 'disk', device: { path } });
  const tag = (name: string, value: string) => ({ is: 'disk', device: { tag: name, value } });
  const named = (name: string, family?: string) => ({ is: 'named', name, family });
  test.each([
    ['/dev/drbd1', 'xfs', '', block('/dev/drbd1')],
    ['/dev/drbd1', '', '', block('/dev/drbd1')],
    [' /dev/drbd1 ', 'xfs', '', block('/dev/drbd1')],
    ['-U 1234-ABCD', 'ext4', '', tag('UUID', '1234-ABCD')],
    ['-U1234', 'ext4', '', tag('UUID', '1234')],
    ['--uuid=1234', 'ext4', '', tag('UUID', '1234')],
    ['--uuid 1234', 'ext4', '', tag('UUID', '1234')],
    ['-L my data', 'ext4', '', tag('LABEL', 'my data')],
    ['-Ldata', 'ext4', '', tag('LABEL', 'data')],
    ['--label=data', 'ext4', '', tag('LABEL', 'data')],
    ['UUID=1234', 'ext4', '', tag('UUID', '1234')],
    ['LABEL="my data"', 'ext4', '', tag('LABEL', 'my data')],
    ['PARTUUID=1234', 'ext4', '', tag('PARTUUID', '1234')],
    ['PARTLABEL=data', 'ext4', '', tag('PARTLABEL', 'data')],
    ['server:/export', 'nfs4', '', named('server:/export', 'nfs')],
    ['server:/export', '', '', named('server:/export')],
    ['server:/export', 'unknownfs', '', named('server:/export', 'unknownfs')],
    ['[fe80::1]:/export', 'unknownfs', '', named('[fe80::1]:/export', 'unknownfs')],
    ['//server/share', 'unknownfs', '', named('//server/share', 'unknownfs')],
    ['user@host:/dir', 'fuse.sshfs', '', named('user@host:/dir', 'sshfs')],
    ['/dev/sdb1', 'fuse.ntfs', '', block('/dev/sdb1')],
    ['tmpfs', 'tmpfs', '', { is: 'memory', type: 'tmpfs' }],
    ['/src', 'none', 'bind', { is: 'bind', path: '/src' }],
    ['/src', '', 'ro,bind', { is: 'bind', path: '/src' }],
    ['tank/data', 'zfs', '', named('tank/data', 'zfs')],
    ['proc', 'proc', '', named('proc', 'proc')],
    ['overlay', 'overlayfs', '', named('overlay', 'overlay')],
    ['/src.img', 'ext4', 'loop=/dev/loop5', { is: 'image', path: '/src.img' }],
    ['/src.img', 'ext4', 'noloopback', block('/src.img')],
    ['/dev/gfs', 'gfs2', '', block('/dev/gfs')],
  ])('%s, type "%s", options "%s"', (device, fstype, options, expected) => {
    expect(sourceOf({ device, fstype, options })).toEqual(expected);
  });
});

test.each([
  ['ro', true],
  ['rw,ro', true],
  ['errors=remount-ro', false],
  ['nouuid,subvol=ro', false],
  ['', false],
])('Filesystem#102: options "%s" contain ro: %s', (options, expected) => {
  expect(hasOption(options, 'ro')).toBe(expected);
});

test.each([
  ['true', true, false, []],
  ['YES', true, false, []],
  ['safe', true, false, []],
  ['', false, false, []],
  ['False', false, false, []],
  ['no', false, false, []],
  ['foo', false, false, ['foo']],
  ['true,move,nomove', true, false, []],
  ['safe,,nops', true, false, []],
  ['move', true, true, []],
  ['xargs', true, false, []],
  ['true,false', false, false, []],
] as const)(
  'Filesystem#92: force_unmount "%s" ends processes: %s, moves: %s',
  (text, evict, move, unknown) => {
    expect(readForce(text)).toEqual({ evict, move, unknown });
  },
);

test.each([
  ['TERM', [15]],
  ['SIGHUP int 15', [1, 2, 15]],
  ['KILL BOGUS', [9, undefined]],
  ['99', [undefined]],
])('signals "%s"', (text, expected) => {
  expect(readSignals(text)).toEqual(expected);
});

test.each([
  ['1', 1],
  ['0.25', 0.25],
  ['0', 0],
  ['1s', undefined],
  ['-1', undefined],
])('%s seconds', (text, expected) => {
  expect(readSeconds(text)).toBe(expected);
});

test.each(Object.entries(constants.signals).filter(([, number]) => number > 0))(
  '%s is signal %i',
  (name, number) => {
    expect(signalNumber(name)).toBe(number);
    expect(signalNumber(signalName(number))).toBe(number);
  },
);
