import { expect, test } from 'vitest';
import { kernelUsers } from '../../../../agents/Filesystem/holders.ts';
import { hostOn } from '../../../../lib/host/host.ts';
import { type Mount, parseMountinfo } from '../../../../lib/host/storage/mounts.ts';
import { FakeMachine } from '../../../fake/machine.ts';

const mount = parseMountinfo('31 1 147:1 / /nfsdata rw - xfs /dev/drbd1 rw\n')[0] as Mount;

test('users that are no processes: loop, swap, NFS export, another mount namespace', async () => {
  const machine = new FakeMachine();
  machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
  machine.process(
    100,
    {
      comm: 'worker\n',
      mountinfo:
        '77 1 147:1 / /mnt/x rw - xfs /dev/drbd1 rw\n78 1 0:9 / /merged rw - overlay o rw,lowerdir=/a:/nfsdata/l,upperdir=/u\n',
    },
    { 'ns/mnt': 'mnt:[2]' },
  );
  machine.files.set('/sys/block/loop3/loop/backing_file', '/nfsdata/disk.img\n');
  machine.files.set('/sys/block/loop4/loop/backing_file', '/other/disk.img\n');
  machine.files.set(
    '/proc/swaps',
    'Filename\tType\tSize\n/nfsdata/swap\\040file file 8188 0 -2\n/dev/sda2 partition 1 0 -3\n',
  );
  machine.files.set(
    '/proc/net/rpc/nfsd.export/content',
    '#path domain(flags)\n/nfsdata/d\t*(rw)\n/other\t*(rw)\n# /nfsdata/e\t*()\n',
  );
  expect(await kernelUsers(hostOn(machine, 1e6), mount)).toEqual([
    'loop device loop3 has its backing file /nfsdata/disk.img',
    'swap file /nfsdata/swap file is in use',
    'the NFS server exports /nfsdata/d',
    'the NFS server has not yet forgotten /nfsdata/e',
    'an overlay on /merged has layers on it (pid 100)',
    'the mount namespace of worker[100] has it on /mnt/x',
  ]);
});
