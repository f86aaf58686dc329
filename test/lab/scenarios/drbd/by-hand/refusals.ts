import type { Expectation, Situation } from './situations.ts';

const refused = (
  code: number,
  params: Record<string, string>,
  meta: Expectation['meta'] = {},
  says?: RegExp,
): Expectation => ({ action: 'start', code, params, meta, ...(says && { says }) });
const misconfigured = (meta: Expectation['meta'], says?: RegExp): Expectation => refused(6, {}, meta, says);

/** DRBD 9 has its transports in modules of their own, which hold it. */
const removeModule =
  "for module in $(grep -o '^drbd_transport_[^ ]*' /proc/modules); do rmmod $module; done; rmmod drbd";
const isPlain = 'test ! -e /proc/drbd';
const forbidden = '/etc/modprobe.d/no-drbd.conf';

/** On a node without the module, which nothing here may load. */
export const withoutModule: readonly Situation[] = [
  {
    cases: [3],
    what: 'no module, recurring monitor: not running, score deleted',
    make: [['node1', removeModule]],
    calls: [{ action: 'monitor', code: 7, score: 'deleted', says: /module/ }],
    proof: isPlain,
  },
  {
    cases: [4],
    what: 'no module, probe: not running, nothing loaded',
    calls: [{ action: 'monitor', meta: { interval: '0' }, code: 7, score: 'untouched' }],
    proof: isPlain,
  },
  {
    cases: [166],
    what: 'no module, stop: done, nothing loaded',
    calls: [{ action: 'stop', code: 0, score: 'deleted' }],
    proof: isPlain,
  },
  {
    cases: [133],
    what: 'a module that cannot be loaded: start fails for this node',
    make: [['node1', `echo install drbd /bin/false > ${forbidden}`]],
    calls: [{ action: 'start', code: 5, says: /module cannot be loaded/ }],
    proof: `rm ${forbidden} && ${isPlain}`,
  },
];

/** Before anything is touched; a stop, a demotion and a monitor must work all the same. */
export const refusals: readonly Situation[] = [
  {
    cases: [103],
    what: 'an action nobody knows',
    calls: [{ action: 'dance', code: 3 }],
  },
  {
    cases: [104],
    what: 'meta-data with an empty environment',
    proof: 'env -i /usr/lib/ocf/resource.d/tsha/drbd meta-data | grep -q "<resource-agent name=.drbd"',
  },
  {
    only84: true,
    cases: [101],
    what: 'clone-max=3 on DRBD 8.4',
    calls: [misconfigured({ clone_max: '3' }, /two nodes only/)],
  },
  {
    cases: [108],
    what: 'module too old, module too new',
    calls: [
      refused(5, { require_drbd_module_version_ge: '9.99.0' }, {}, /older than/),
      refused(5, { require_drbd_module_version_lt: '8.4.0' }, {}, /not older than/),
    ],
  },
  {
    cases: [109],
    what: 'a version without patch level',
    calls: [refused(6, { require_drbd_module_version_ge: '9.2' }, {}, /x\.y\.z/)],
  },
  {
    cases: [111],
    what: 'clone-node-max=2, promoted-node-max=2, promoted-max=3',
    calls: [
      misconfigured({ clone_node_max: '2' }),
      misconfigured({ promoted_node_max: '2', master_node_max: '2' }),
      misconfigured({ promoted_max: '3', master_max: '3' }),
    ],
  },
  {
    cases: [112],
    what: 'clone-node-max=2: stopped all the same',
    calls: [{ action: 'stop', meta: { clone_node_max: '2' }, code: 0 }],
  },
  {
    cases: [113],
    what: 'promoted-max=2 of three, or of who knows how many',
    calls: [
      misconfigured({ promoted_max: '2', master_max: '2', clone_max: '3' }),
      misconfigured({ promoted_max: '2', master_max: '2', clone_max: undefined }),
    ],
  },
  {
    cases: [116],
    what: 'only Pacemaker’s new name says promoted-max=2: believed',
    calls: [misconfigured({ promoted_max: '2', master_max: undefined }, /allow-two-primaries/)],
  },
  {
    cases: [127],
    what: 'promoted-max=2 without allow-two-primaries: no start, no promotion',
    calls: ['start', 'promote'].map((action) => ({
      action,
      meta: { promoted_max: '2', master_max: '2' },
      code: 6,
      says: /allow-two-primaries/,
    })),
  },
  {
    cases: [128],
    what: 'promoted-max=2 without allow-two-primaries: watched and stopped',
    calls: [
      { action: 'monitor', meta: { promoted_max: '2', master_max: '2' }, code: 7 },
      { action: 'stop', meta: { promoted_max: '2', master_max: '2' }, code: 0 },
    ],
  },
  {
    cases: [117],
    what: 'notify=false: no start, promotion or reload; the notification itself is 0',
    calls: [
      ...['start', 'promote', 'reload'].map((action) => ({
        action,
        meta: { notify: 'false' },
        code: 6,
        says: /notify/,
      })),
      { action: 'notify', meta: { notify: 'false' }, code: 0 },
    ],
  },
  {
    cases: [121],
    what: 'no resource, or one with a blank',
    calls: [refused(6, { drbd_resource: '' }), refused(6, { drbd_resource: 'a b' })],
  },
  {
    cases: [122],
    what: 'a configuration file with a blank, or that is not there; a probe finds nothing running',
    calls: [
      refused(6, { drbdconf: '/etc/my drbd.conf' }),
      refused(5, { drbdconf: '/etc/no-drbd.conf' }),
      { action: 'monitor', meta: { interval: '0' }, params: { drbdconf: '/etc/no-drbd.conf' }, code: 7 },
    ],
  },
  {
    cases: [123],
    what: 'a resource that is not configured: probe 7, start and a deep validation 5, score untouched',
    calls: [
      { action: 'monitor', meta: { interval: '0' }, params: { drbd_resource: 'other' }, code: 7 },
      { ...refused(5, { drbd_resource: 'other' }, {}, /not defined/), score: 'untouched' },
      {
        action: 'validate-all',
        params: { drbd_resource: 'other' },
        env: { OCF_CHECK_LEVEL: '10' },
        code: 5,
        score: 'untouched',
      },
    ],
  },
  {
    cases: [129],
    what: 'validate-all before there is a clone',
    calls: ['0', '10'].map((OCF_CHECK_LEVEL) => ({
      action: 'validate-all',
      env: { OCF_CHECK_LEVEL },
      meta: { clone: undefined, clone_max: undefined, notify: undefined },
      code: 0,
      score: 'untouched' as const,
    })),
  },
];
