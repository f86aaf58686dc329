import { configure, resourcePath } from '../../../cluster/drbd-resource.ts';
import { monitor, type Situation } from './situations.ts';

const quick = { wfc_timeout: '1' };
/** Long enough for a few tries, and the openers. */
const brief = { timeout: '12000' };
/** By a device stacked on it, and by a process. */
const held = `dmsetup create stacked --table "0 8 linear /dev/drbd1 0" &&
{ setsid sleep 300 < /dev/drbd1 > /dev/null 2>&1 & } && echo $! > /run/holder`;
const letGo =
  'dmsetup remove stacked; kill $(cat /run/holder); while fuser -s /dev/drbd1; do sleep 0.1; done; true';

/** One node, as long as its peer is down. */
export const alone: readonly Situation[] = [
  {
    cases: [132, 144],
    what: 'start without module or peer: module loaded, started all the same',
    until: { node2: 'down' },
    calls: [{ action: 'start', params: quick, code: 0, score: 1000 }],
    leaves: { node1: { role: 'Secondary', disk: 'UpToDate', connection: 'Connecting' } },
  },
  {
    cases: [88],
    what: 'WFConnection Secondary UpToDate: 0, 1000',
    calls: [monitor(0, 1000)],
  },
  {
    cases: [72, 73, 74],
    what: 'scores by adjust_master_score; an impossible one counts as the default',
    calls: [
      monitor(0, 5, { params: { adjust_master_score: '0 0 5 7' } }),
      ...['0 10 1000', '0 10 5 1', '-1 ten 1000 10000'].map((scores) =>
        monitor(0, 1000, { params: { adjust_master_score: scores } }),
      ),
      monitor(0, 'deleted', { params: { adjust_master_score: '0 0 0 0' } }),
    ],
  },
  {
    cases: [118],
    what: 'notify=false: watched all the same',
    calls: [monitor(0, 1000, { meta: { notify: 'false' } })],
  },
  {
    cases: [119, 120, 139],
    what: 'start of a Secondary; notifications seen in the environment, or not wanted',
    calls: [
      {
        action: 'start',
        params: quick,
        code: 0,
        score: 1000,
        meta: { notify: undefined, notify_start_uname: ' ' },
      },
      {
        action: 'start',
        params: { ...quick, ignore_missing_notifications: 'yes' },
        meta: { notify: 'false' },
        code: 0,
        score: 1000,
      },
    ],
  },
  {
    cases: [110, 135, 136],
    what: 'no version asked for, no waiting asked for; or for a word',
    calls: [
      {
        action: 'start',
        params: { wfc_timeout: '', require_drbd_module_version_ge: '' },
        code: 0,
      },
      { action: 'start', params: { wfc_timeout: 'none' }, code: 0 },
    ],
  },
  {
    cases: [157, 170, 176],
    what: 'demote, reload and post-stop notification of a Secondary without peer',
    calls: [
      { action: 'demote', code: 0 },
      { action: 'reload', code: 0, score: 1000 },
      { action: 'reload-agent', code: 0, score: 1000 },
      { action: 'notify', meta: { notify_type: 'post', notify_operation: 'stop' }, code: 0, score: 1000 },
    ],
  },
  {
    cases: [146, 147],
    what: 'promote, and once more',
    calls: [
      { action: 'promote', code: 0, score: 'untouched' },
      { action: 'promote', code: 0, score: 'untouched' },
    ],
    leaves: { node1: { role: 'Primary' } },
  },
  {
    cases: [89],
    what: 'WFConnection Primary UpToDate: 8, 10000',
    calls: [monitor(8, 10000)],
  },
  {
    cases: [71],
    what: 'status of a Primary writes no score',
    calls: [{ action: 'status', code: 8, score: 'untouched' }],
  },
  {
    cases: [178],
    what: 'stop_outdates_secondary never touches a Primary',
    calls: [
      {
        action: 'notify',
        params: { stop_outdates_secondary: 'true' },
        meta: {
          notify_type: 'post',
          notify_operation: 'promote',
          notify_promoted_uname: 'node2',
          notify_master_uname: 'node2',
        },
        code: 0,
        score: 10000,
        says: /CRIT/,
      },
    ],
    leaves: { node1: { role: 'Primary', disk: 'UpToDate' } },
  },
  {
    cases: [5],
    what: 'device node missing: what the kernel says counts',
    make: [['node1', 'rm /dev/drbd1']],
    calls: [monitor(8, 10000)],
    proof: 'mknod /dev/drbd1 b 147 1',
  },
  {
    cases: [141, 159, 163],
    what: 'held open: start, demote and stop fail in time, and name who holds it',
    make: [['node1', held]],
    calls: ['start', 'demote', 'stop'].map((action) => ({
      action,
      meta: brief,
      code: 1,
      says: /used by device dm-1/,
    })),
    leaves: { node1: { role: 'Primary' } },
  },
  {
    cases: [164],
    what: 'held open, and the device node is missing: stop is never 0',
    make: [['node1', 'rm /dev/drbd1']],
    calls: [{ action: 'stop', meta: brief, code: 1, score: 'untouched', says: /open/ }],
    leaves: { node1: { role: 'Primary' } },
    proof: `mknod /dev/drbd1 b 147 1; ${letGo}`,
  },
  {
    cases: [140],
    what: 'start of a Primary: made Secondary',
    calls: [{ action: 'start', params: quick, code: 0, score: 1000 }],
    leaves: { node1: { role: 'Secondary' } },
  },
  {
    cases: [156, 160],
    what: 'demote a Primary, stop a Secondary',
    make: [['node1', 'drbdadm primary data']],
    calls: [
      { action: 'demote', code: 0 },
      { action: 'stop', code: 0, score: 'deleted' },
    ],
    leaves: { node1: 'down' },
  },
  {
    cases: [161],
    what: 'stop a Primary that nobody uses',
    make: [['node1', 'drbdadm up data && drbdadm primary data']],
    calls: [{ action: 'stop', code: 0, score: 'deleted' }],
    leaves: { node1: 'down' },
  },
  {
    cases: [84, 148, 158, 162, 171, 183],
    what: 'down: monitor and demote 7, promote and reload 1 at once, stop and notify 0',
    calls: [
      monitor(7, 'deleted'),
      { action: 'demote', code: 7 },
      { action: 'promote', code: 1, says: /not started/ },
      { action: 'reload', code: 1, score: 'deleted' },
      { action: 'stop', code: 0, score: 'deleted' },
      {
        action: 'notify',
        meta: { notify_type: 'post', notify_operation: 'stop' },
        code: 0,
        score: 'deleted',
      },
    ],
    leaves: { node1: 'down' },
  },
  {
    only84: true,
    cases: [83],
    what: 'Unconfigured: created only, neither disk nor network',
    make: [['node1', 'drbdadm new-resource data && drbdadm new-minor data']],
    calls: [monitor(7, 'deleted')],
    proof: 'drbdadm down data',
  },
  {
    cases: [124, 184],
    what: 'the configuration is gone: demoted and stopped by the kernel’s own names',
    make: [['node1', `drbdadm up data && drbdadm primary data && mv ${resourcePath} /root/data.res`]],
    calls: [
      { action: 'demote', code: 0 },
      { action: 'stop', code: 0, score: 'deleted' },
    ],
    leaves: { node1: 'down' },
    proof: `mv /root/data.res ${resourcePath}`,
  },
  {
    cases: [172, 182],
    what: 'the configuration is broken while it runs: reload fails with the reason, a notification does not',
    make: [
      ['node1', `drbdadm up data && cp ${resourcePath} /root/data.res && echo nonsense >> ${resourcePath}`],
    ],
    calls: [
      { action: 'reload', code: 1, says: /[Pp]arse error/ },
      {
        action: 'notify',
        meta: { notify_type: 'post', notify_operation: 'start', notify_start_uname: 'node2' },
        code: 0,
      },
    ],
    proof: `mv /root/data.res ${resourcePath}; drbdadm down data`,
  },
  {
    cases: [92],
    what: 'WFConnection Consistent, for fencing is on: 0, score deleted, or as asked for',
    make: [['node1', `${configure({ fencing: 'resource-only' })}drbdadm up data`]],
    until: { node1: { disk: 'Consistent', connection: 'Connecting' } },
    calls: [monitor(0, 'deleted'), monitor(0, 5, { params: { adjust_master_score: '5 10 1000 10000' } })],
  },
  {
    cases: [149],
    what: 'promote refused: Consistent, and nobody could outdate the peer',
    calls: [{ action: 'promote', meta: brief, code: 1, score: 'untouched', says: /Consistent/ }],
    leaves: { node1: { role: 'Secondary' } },
    proof: `drbdadm down data && ${configure()}`,
  },
];
