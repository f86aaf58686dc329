import { paramTable } from '../../lib/contract/params.ts';
import type { Context } from '../../lib/ocf/agent.ts';
import { traceParams } from '../../lib/ocf/trace.ts';

export const params = paramTable({
  drbd_resource: {
    type: 'string',
    required: true,
    uniqueGroup: 'resource',
    short: 'Name of the resource in the DRBD configuration',
  },
  drbdconf: {
    type: 'string',
    default: '/etc/drbd.conf',
    short: 'DRBD configuration file',
  },
  adjust_master_score: {
    type: 'string',
    default: '0 10 1000 10000',
    reloadable: true,
    short: 'Four promotion scores: Consistent only, peer has the data, peer unknown, all good',
  },
  stop_outdates_secondary: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Mark own data Outdated on stop while another node is promoted',
  },
  ignore_missing_notifications: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Work without notify=true',
  },
  wfc_timeout: {
    type: 'string',
    default: '5',
    mayBeEmpty: true,
    reloadable: true,
    short: 'Seconds to wait for connections at the end of start; 0, empty or a word: do not wait',
  },
  remove_master_score_if_peer_primary: {
    type: 'string',
    default: 'false',
    reloadable: true,
    short: 'Delete the score while a peer is Primary: true, false, or unexpected (unknown to Pacemaker)',
  },
  fail_promote_early_if_peer_primary: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Give up a promotion early when a peer is Primary without the cluster knowing',
  },
  unfence_if_all_uptodate: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Run the unfence-peer handler on a Primary while all data is UpToDate everywhere',
  },
  unfence_extra_args: {
    type: 'string',
    default: '--quiet --flock-required --flock-timeout 0 --unfence-only-if-owner-match',
    reloadable: true,
    short: 'Further arguments for the unfence-peer handler',
  },
  require_drbd_module_version_ge: {
    type: 'string',
    default: '8.0.0',
    mayBeEmpty: true,
    reloadable: true,
    short: 'Oldest DRBD kernel module to work with, x.y.z; empty: any',
  },
  require_drbd_module_version_lt: {
    type: 'string',
    default: '10.0.0',
    mayBeEmpty: true,
    reloadable: true,
    short: 'First DRBD kernel module too new to work with, x.y.z; empty: any',
  },
  connect_only_after_promote: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Connect to the peers only after promotion, for stacked resources',
  },
  report_degraded: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Let monitor tell Pacemaker when redundancy is lost: exit codes 190 and 191',
  },
  state_attribute: {
    type: 'boolean',
    default: true,
    reloadable: true,
    short: 'Keep the state of the data in the node attribute tsha-drbd-<resource>',
  },
  fail_promoted_without_data: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Fail a Primary that has no data within reach, or whose I/O stays suspended',
  },
  keep_promoted_score: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Keep the score of a Primary to which a volume is being added',
  },
  wfc_before_promote: {
    type: 'integer',
    default: 0,
    min: 0,
    reloadable: true,
    short: 'Seconds to wait for a peer before a promotion without any',
  },
  demote_force: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'As the last resort make an open device Secondary by force (DRBD 9.1.7 or newer)',
  },
  check_config: {
    type: 'select',
    options: ['off', 'warn', 'fail'],
    default: 'warn',
    reloadable: true,
    short: 'What validate-all does about a risky DRBD or cluster configuration',
  },
  ...traceParams,
});

export type Ctx = Context<typeof params>;
