import { expect, test } from 'vitest';
import { isOf } from '../../../../agents/Filesystem/namespaces.ts';
import { parseMountinfo } from '../../../../lib/host/storage/mounts.ts';

// What has just been unmounted here may still be mounted in another namespace. The kernel gives the number of a superblock without a disk
// of its own to the next one at once: a stop must not take a stranger's new mount for it.

const mount = (device: string, type: string, source: string) => {
  const [found] = parseMountinfo(`9 1 ${device} / /x rw - ${type} ${source} rw\n`);
  if (!found) throw new Error('no mount');
  return found;
};

test.each([
  ['a disk, by whatever name', '8:1 xfs /dev/sda1', '8:1 xfs /dev/disk/by-id/x', true],
  ['another disk', '8:1 xfs /dev/sda1', '8:2 xfs /dev/sda2', false],
  ['btrfs', '0:50 btrfs /dev/sda1', '0:50 btrfs /dev/sda1', true],
  ["btrfs, and somebody's tmpfs that got its number", '0:50 btrfs /dev/sda1', '0:50 tmpfs base', false],
  ['NFS, and another export that got its number', '0:50 nfs4 a:/x', '0:50 nfs4 b:/x', false],
])('%s', (_what, ours, theirs, is) => {
  const [one, other] = [ours, theirs].map((words) =>
    mount(...(words.split(' ') as [string, string, string])),
  );
  if (!one || !other) throw new Error('no mounts');
  expect(isOf(other, one)).toBe(is);
});

test('without knowing what was mounted, an anonymous number is nobody', () => {
  expect(isOf(mount('0:50', 'btrfs', '/dev/sda1'), { device: '0:50' })).toBe(false);
});
