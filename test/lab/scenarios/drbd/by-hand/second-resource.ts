import { isDrbd9 } from '../../../cluster/drbd-resource.ts';
import type { NodeName } from '../../../settings.ts';
import type { Situation } from './situations.ts';

const path = '/etc/drbd.d/two.res';
const twoVolumes = (device: string): string => `cat > ${path} <<'END'
resource two {
  volume 0 { device /dev/drbd5 minor 5; disk /dev/loop5; meta-disk internal; }
  volume 1 { device ${device} minor 6; disk /dev/loop6; meta-disk internal; }
  on node1 { address 10.77.1.11:7790; }
  on node2 { address 10.77.1.12:7790; }
}
END
`;
const disks = `modprobe loop; for n in 5 6; do
  truncate -s 8M /root/disk$n; mknod -m 600 /dev/loop$n b 7 $n 2> /dev/null; losetup /dev/loop$n /root/disk$n
done
`;
const good = (minor: number): string => `drbdsetup primary ${minor} --force && drbdsetup secondary ${minor}`;
/** DRBD 9 wants to know which of the nodes it is. */
const nodeId = `$(${isDrbd9} && echo 0)`;
const two = { drbd_resource: 'two', wfc_timeout: '' };
const brief = { timeout: '12000' };
const tidied = `rm ${path} && losetup -d /dev/loop5 /dev/loop6`;

/** A resource of two volumes, and everything that keeps a resource from starting. */
export const secondResource = (node: NodeName): readonly Situation[] =>
  situations(node).map((situation) => ({ ...situation, on: node }));

const situations = (node: NodeName): readonly Situation[] => [
  {
    cases: [137],
    what: 'start without meta-data on the disk: failed, in drbdadm’s words',
    make: [[node, `${disks}${twoVolumes('/dev/drbd6')}`]],
    calls: [{ action: 'start', params: two, code: 1, says: /failed to attach: .*meta.?data/i }],
    proof: 'drbdadm down two',
  },
  {
    cases: [138],
    what: 'start while something else has the minor: failed, naming who has it (D8)',
    make: [[node, `drbdsetup new-resource other ${nodeId} && drbdsetup new-minor other 6 0`]],
    calls: [{ action: 'start', params: two, code: 1, says: /minor 6 of two is up in the kernel as other/ }],
    proof: 'drbdsetup down other; drbdadm down two',
  },
  {
    cases: [142],
    what: 'start when the device node does not appear: failed in time',
    make: [[node, twoVolumes('/dev/drbd_two')]],
    calls: [{ action: 'start', params: two, meta: brief, code: 1, says: /\/dev\/drbd_two does not appear/ }],
    proof: `drbdadm down two; ${twoVolumes('/dev/drbd6')}`,
  },
  {
    only84: true,
    cases: [98],
    what: 'volume 0 good, volume 1 Unconfigured: 0, score deleted',
    make: [
      [node, 'drbdadm create-md --force two && drbdadm new-resource two && drbdadm new-minor two'],
      [node, `drbdadm attach two/0 && ${good(5)}`],
    ],
    calls: [{ action: 'monitor', params: two, code: 0, score: 'deleted' }],
  },
  {
    only84: true,
    cases: [99],
    what: 'volume 0 Primary, volume 1 Secondary: 8, 10000, and half a promotion is logged',
    make: [[node, `drbdadm attach two/1 && ${good(6)} && drbdsetup primary 5`]],
    calls: [{ action: 'monitor', params: two, code: 8, score: 10000, says: /volume 1 is still Secondary/ }],
  },
  {
    only84: true,
    cases: [],
    what: 'promote makes the other volume Primary too, and stop ends both',
    calls: [
      { action: 'promote', params: two, code: 0 },
      { action: 'status', params: two, code: 8 },
      { action: 'stop', params: two, code: 0 },
    ],
    proof: `! grep -q '^ *[56]: cs:[^U]' /proc/drbd && ${tidied}`,
    otherwise: [[node, tidied]],
  },
];
