import { failDisk, holdDisk, lowerDisk, mendDisk, releaseDisk } from '../../../cluster/disk.ts';
import { configure } from '../../../cluster/drbd-resource.ts';
import { type Expectation, monitor, type Situation } from './situations.ts';

const quick = { wfc_timeout: '8' };
const brief = { timeout: '5000' };
const notified = (
  type: string,
  operation: string,
  score: NonNullable<Expectation['score']>,
  more: Partial<Expectation> = {},
): Expectation => ({
  action: 'notify',
  code: 0,
  score,
  ...more,
  meta: { notify_type: type, notify_operation: operation, ...more.meta },
});
const both = { disk: 'UpToDate', peerDisk: 'UpToDate', connection: 'Connected' };
const connected = { node1: both, node2: both };
const node2Promoted = { notify_promoted_uname: 'node2', notify_master_uname: 'node2' };
const outdating = { stop_outdates_secondary: 'true' };
/** Whatever DRBD reads makes it notice that its disk is gone. */
const read = 'dd if=/dev/drbd1 of=/dev/null bs=4k count=64 iflag=direct 2> /dev/null';

/** Both nodes, connected: everything a Secondary and a Primary can see of each other. */
export const connectedNodes: readonly Situation[] = [
  {
    cases: [143],
    what: 'start beside a peer that runs: connected when it ends',
    make: [['node2', 'drbdadm up data']],
    calls: [
      {
        action: 'start',
        params: quick,
        meta: { notify_unpromoted_uname: 'node2', notify_slave_uname: 'node2' },
        code: 0,
        score: 10000,
      },
    ],
    leaves: connected,
  },
  {
    cases: [85],
    what: 'Connected Secondary/Secondary UpToDate/UpToDate: 0, 10000',
    calls: [monitor(0, 10000)],
  },
  {
    cases: [173, 174, 175],
    what: 'notifications: a score after something happened, nothing before',
    calls: [
      ...['start', 'stop', 'promote', 'demote'].map((operation) => notified('pre', operation, 'untouched')),
      ...['start', 'stop', 'promote', 'demote'].map((operation) => notified('post', operation, 10000)),
    ],
  },
  {
    cases: [181],
    what: 'a peer is about to start: a connection that stands alone is made again',
    make: [['node1', 'drbdadm disconnect data']],
    until: { node1: { connection: 'StandAlone' }, node2: { connection: 'Connecting' } },
    calls: [notified('pre', 'start', 'untouched', { meta: { notify_start_uname: 'node2' } })],
    leaves: connected,
  },
  {
    cases: [86],
    what: 'Connected Primary/Secondary UpToDate/UpToDate: 8, 10000',
    make: [['node1', 'drbdadm primary data']],
    calls: [monitor(8, 10000)],
  },
  {
    cases: [75],
    what: 'remove_master_score_if_peer_primary beside a Primary with all data',
    on: 'node2',
    calls: [
      monitor(0, 10000),
      monitor(0, 'deleted', { params: { remove_master_score_if_peer_primary: 'true' } }),
    ],
  },
  {
    cases: [150],
    what: 'promote beside a Primary: tries until shortly before the timeout, with the kernel’s words',
    on: 'node2',
    calls: [
      {
        action: 'promote',
        meta: { timeout: '9000' },
        code: 1,
        score: 'untouched',
        says: /[Mm]ultiple primaries/,
      },
    ],
    leaves: { node2: { role: 'Secondary' } },
  },
  {
    cases: [151],
    what: 'the same, of a Primary that Pacemaker does not know: gives up early and takes its score back',
    on: 'node2',
    calls: [
      {
        action: 'promote',
        instance: 'Data',
        params: { fail_promote_early_if_peer_primary: 'true' },
        code: 1,
        score: 'deleted',
        meta: { timeout: '90000' },
        within: 45,
        says: /peer is Primary/,
      },
    ],
  },
  {
    cases: [87],
    what: 'two Primaries, which the configuration allows: 8, 10000',
    make: [
      ...(['node1', 'node2'] as const).map(
        (node) => [node, `${configure({ net: ['allow-two-primaries yes;'] })}drbdadm adjust data`] as const,
      ),
      ['node2', 'drbdadm primary data'],
    ],
    calls: [monitor(8, 10000, { meta: { promoted_max: '2', master_max: '2' } })],
    leaves: { node1: { role: 'Primary', peerRole: 'Primary' } },
  },
  {
    cases: [94],
    what: 'Primary without disk, Connected: 8, 10',
    make: [
      ['node2', `drbdadm secondary data && ${configure()}drbdadm adjust data`],
      ['node1', `${configure()}drbdadm adjust data && ${failDisk} && ${read}`],
    ],
    until: { node1: { role: 'Primary', disk: 'Diskless', peerDisk: 'UpToDate' } },
    calls: [monitor(8, 10, { says: /Diskless/ })],
  },
  {
    cases: [95],
    what: 'Primary without disk or peer: 8, score deleted',
    make: [['node2', 'drbdadm disconnect --force data']],
    until: { node1: { role: 'Primary', disk: 'Diskless', connection: 'Connecting' } },
    calls: [monitor(8, 'deleted')],
  },
  {
    cases: [],
    what: 'with a disk again, in sync again',
    make: [
      ['node1', `drbdadm secondary data; ${mendDisk} && drbdadm attach data`],
      ['node2', 'drbdadm connect data'],
    ],
    until: connected,
    calls: [monitor(0, 10000)],
  },
  {
    cases: [90],
    what: 'StandAlone Primary: 8, 10000, and the suspicion is logged',
    make: [['node1', 'drbdadm primary data && drbdadm disconnect data']],
    until: { node1: { role: 'Primary', connection: 'StandAlone' } },
    calls: [monitor(8, 10000, { says: /StandAlone.*split brain/ })],
  },
  {
    cases: [],
    what: 'connected again, with a handler that outdates the peer',
    only84: true,
    make: [
      ['node1', `printf '#!/bin/sh\\nexit 4\\n' > /root/fence && chmod +x /root/fence`],
      [
        'node1',
        `${configure({ fencing: 'resource-only', handlers: ['fence-peer "/root/fence";'] })}drbdadm adjust data`,
      ],
    ],
    until: connected,
    calls: [monitor(8, 10000)],
  },
  {
    cases: [91],
    what: 'WFConnection Secondary UpToDate, the peer known to be Outdated: 0, 10000',
    only84: true,
    make: [['node2', 'drbdadm down data']],
    until: { node1: { peerDisk: 'Outdated', connection: 'Connecting' } },
    calls: [{ action: 'demote', code: 0 }, monitor(0, 10000)],
    leaves: { node1: { role: 'Secondary', disk: 'UpToDate', peerDisk: 'Outdated' } },
    proof: `${configure()}drbdadm adjust data`,
    otherwise: [
      ['node1', 'drbdadm secondary data && drbdadm connect data'],
      ['node2', 'drbdadm down data'],
    ],
  },
];

/**
 * The attachment ends only when the disk is let go: so its state lasts as long as anybody needs to look at it, however slow the
 * machine. An attachment that ended all the same says why.
 */
const attachHeld = `drbdsetup attach 1 ${lowerDisk} ${lowerDisk} internal > /run/attach.log 2>&1 & echo $! > /run/attach
until grep -q ds:Attaching /proc/drbd; do
  kill -0 $(cat /run/attach) || { cat /run/attach.log /proc/drbd >&2; exit 1; }
  sleep 0.1
done`;

/** The same two, where one has not all the data. */
export const outdatedNode: readonly Situation[] = [
  {
    cases: [],
    what: 'both nodes again: what is known of the peer is up to date',
    make: [['node2', 'drbdadm up data']],
    until: connected,
    calls: [monitor(0, 10000)],
  },
  {
    cases: [168, 169],
    what: 'stop_outdates_secondary: no effect when nobody stays promoted',
    make: [['node2', 'drbdadm down data']],
    until: { node1: { connection: 'Connecting', peerDisk: 'DUnknown' } },
    calls: [
      {
        action: 'stop',
        params: outdating,
        meta: { notify_promoted_uname: ' ', notify_master_uname: ' ' },
        code: 0,
      },
      { action: 'start', params: { wfc_timeout: '' }, code: 0 },
      {
        action: 'stop',
        params: outdating,
        meta: { ...node2Promoted, notify_stop_uname: 'node1 node2' },
        code: 0,
      },
      { action: 'start', params: { wfc_timeout: '' }, code: 0, score: 1000 },
    ],
    leaves: { node1: { disk: 'UpToDate', connection: 'Connecting' } },
  },
  {
    cases: [177],
    what: 'stop_outdates_secondary: the promoted node is out of sight: data Outdated, score deleted',
    calls: [notified('post', 'promote', 'deleted', { params: outdating, meta: node2Promoted })],
    leaves: { node1: { disk: 'Outdated', connection: 'Connecting' } },
  },
  {
    cases: [92],
    what: 'WFConnection Secondary Outdated: 0, score deleted',
    calls: [monitor(0, 'deleted', { says: /Outdated/ })],
  },
  {
    cases: [149],
    what: 'promote refused while Outdated',
    calls: [{ action: 'promote', meta: brief, code: 1, score: 'untouched', says: /Outdated/ }],
    leaves: { node1: { role: 'Secondary', disk: 'Outdated' } },
  },
  {
    cases: [167],
    what: 'stop_outdates_secondary: stop marks the data while another node stays promoted',
    make: [
      ['node2', 'drbdadm up data'],
      ['node1', 'drbdadm wait-connect data'],
    ],
    until: connected,
    calls: [{ action: 'stop', params: outdating, meta: node2Promoted, code: 0, score: 'deleted' }],
    leaves: { node1: 'down' },
  },
  {
    cases: [],
    what: 'it is still Outdated when it is up again alone',
    make: [
      ['node2', 'drbdadm disconnect data'],
      ['node1', 'drbdadm up data'],
    ],
    until: { node1: { disk: 'Outdated', connection: 'Connecting' } },
  },
  {
    cases: [93],
    what: 'SyncTarget Secondary/Primary Inconsistent/UpToDate: 0, 10',
    make: [
      ['node2', 'drbdadm primary data && dd if=/dev/urandom of=/dev/drbd1 bs=1M count=60 conv=fsync'],
      ['node2', 'drbdadm connect data'],
    ],
    until: { node1: { replication: 'SyncTarget', disk: 'Inconsistent', peerRole: 'Primary' } },
    calls: [monitor(0, 10)],
  },
  {
    cases: [92],
    what: 'WFConnection Secondary Inconsistent: 0, score deleted',
    make: [['node2', 'drbdadm disconnect data']],
    until: { node1: { disk: 'Inconsistent', connection: 'Connecting' } },
    calls: [monitor(0, 'deleted')],
  },
  {
    cases: [145],
    what: 'start without a peer, Inconsistent: 0, score deleted',
    make: [['node1', 'drbdadm down data']],
    calls: [{ action: 'start', params: { wfc_timeout: '1' }, code: 0, score: 'deleted' }],
    leaves: { node1: { disk: 'Inconsistent', connection: 'Connecting' } },
  },
  {
    only84: true,
    cases: [64],
    what: 'a disk that does not answer while it is attached: DRBD answers no query either; 1 in time, score untouched',
    make: [
      ['node2', 'drbdadm connect data'],
      ['node1', `${configure({ resyncRate: 1000 })}drbdadm adjust data && drbdadm wait-connect data`],
      ['node1', 'until drbdadm dstate data | grep -q UpToDate/UpToDate; do sleep 0.1; done'],
      ['node1', `drbdadm detach data && drbdmeta 1 v08 ${lowerDisk} internal apply-al\n${holdDisk}`],
      ['node1', attachHeld],
    ],
    calls: [monitor(1, 'untouched', { meta: brief, says: /hung/ })],
    proof: `kill -0 $(cat /run/attach) && ${releaseDisk}`,
  },
];
