import type { params } from '../../agents/drbd/params.ts';
import type { EnglishProse } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  long: `
Manages one DRBD resource, a block device replicated between nodes, as a promotable clone: it runs as Secondary on every node and is
promoted to Primary where Pacemaker decides. Works with DRBD 9, and with DRBD 8.4 as it comes with Linux.

The resource must already be described in the DRBD configuration and have its meta-data. The agent never creates meta-data, never
forces a role and never discards data. What the kernel says decides whether the resource runs and in which role; how good the data on
a node is decides its promotion score. When the kernel cannot be asked, the agent says so and never takes that for "stopped".

Configure it as a clone with promotable=true, notify=true and promoted-max=1, and let DRBD itself prevent divergence with quorum or
with fencing and its handlers.`,
  params: {
    drbd_resource: `
The name of one resource in the DRBD configuration, as given to "drbdadm status". "all", and names that drbdadm takes for a volume, a
peer or a minor of a resource (data/0, data:node2, minor-0), are refused.`,
    drbdconf: `
The DRBD configuration file, passed on to every drbdadm command.`,
    adjust_master_score: `
Four whole numbers, none smaller than the one before: the promotion score of this node (1) with data that is only Consistent and no
peer to ask, (2) without good data of its own while a peer has all of it, (3) with good data while the data of some peer is unknown,
(4) with good data and all peers known, or already Primary. 0 means that the node must not be promoted in this state. Anything else
than four such numbers counts as the default.`,
    stop_outdates_secondary: `
When a Secondary stops, or loses sight of a peer, while another node stays promoted, mark its own data as Outdated so that it cannot
be promoted with old data later. Usually left off: DRBD's own fencing does this better.`,
    ignore_missing_notifications: `
Start also when the clone has no notify=true. Without notifications a node does not reconnect to a peer that comes back, and scores
follow changes only with the next monitor.`,
    wfc_timeout: `
How long a start waits for the connections to the peers, in seconds, and never for longer than its own timeout allows. A start succeeds
without them. 0, empty, or anything but digits: do not wait.`,
    remove_master_score_if_peer_primary: `
Whether a Secondary gives up its promotion score while it sees a peer that is Primary with good data. "true": always. "unexpected":
only when the cluster itself knows of no promoted instance elsewhere, i.e. somebody promoted the peer by hand. "false": never.`,
    fail_promote_early_if_peer_primary: `
When a promotion is refused and a peer is Primary of which the cluster knows nothing, fail at once instead of trying until the timeout.`,
    unfence_if_all_uptodate: `
On a Primary, while all disks of all nodes are UpToDate, run "drbdadm unfence-peer": removes a constraint that a fence-peer handler
left behind. Done when that state is reached, and once a minute after that.`,
    unfence_extra_args: `
Further arguments for the unfence-peer handler that comes with DRBD, which reads them from its environment.`,
    require_drbd_module_version_ge: `
Refuse to start unless the kernel module has at least this version, of the form x.y.z. Empty: do not check.`,
    require_drbd_module_version_lt: `
Refuse to start unless the kernel module is older than this version, of the form x.y.z. Empty: do not check.`,
    connect_only_after_promote: `
Start without connecting to the peers; connect after a promotion. For stacked resources, whose address moves with the lower resource.`,
    report_degraded: `
When the resource works but its redundancy does not, let recurring monitors end with 190 (Secondary) or 191 (Primary) instead of 0 or
8: a peer is not connected or behind, a disk is not UpToDate, a resync runs, there is no quorum, I/O is suspended, the data has split.
Pacemaker takes these codes for success and lists them as "degraded", also when all is well again, until "pcs resource cleanup". Only
under Pacemaker 2.1 or newer; ignored elsewhere.`,
    state_attribute: `
Keep the state of the data as a transient attribute of the node, tsha-drbd-<resource>, which "crm_mon -A" shows and an alert agent can
watch: connected, connecting, standalone, split-brain, no-quorum, no-data, suspended, synctarget 40%, synctarget 40% suspended user,
diskless, peer-outdated and so on. The worst that is true is told. Written when it changes, deleted on stop.`,
    fail_promoted_without_data: `
A Primary that has no UpToDate data, neither here nor at a peer, fails its monitor (exit code 9), and so does one whose I/O ends with
errors (no quorum with on-no-quorum io-error, force-io-failures) or stays suspended for longer than the monitor's interval; while a
peer is being fenced, for longer than the fence-peer handler may take. Pacemaker then recovers it, elsewhere if it can. Off, such a
Primary counts as running, and whoever uses it waits.`,
    keep_promoted_score: `
A volume that is added to a running resource is Inconsistent until its first sync, which costs the Primary its promotion score: Pacemaker
may then move it. With this parameter the Primary keeps its score as long as all its other volumes are UpToDate and nobody else has
UpToDate data of the new one.`,
    wfc_before_promote: `
A promotion with no peer connected waits this many seconds for one, so that a node that has just booted learns about newer data before
it is promoted. It goes on as soon as a peer is connected, and at the latest after half of the promotion's timeout. 0: do not wait.`,
    demote_force: `
When an open device keeps a demotion or a stop from becoming Secondary until shortly before the timeout, use "drbdsetup secondary
--force": whoever has the device open gets I/O errors from then on. A fenced node loses more. DRBD 9.1.7 or newer; older ones fail as
without this parameter. Whoever held the device open is logged.`,
    check_config: `
At OCF_CHECK_LEVEL=10 validate-all looks for what works until the day of a failure: neither quorum nor fencing, missing handlers, a
promote timeout below that of the fence-peer handler, allow-two-primaries without need, host names that are no cluster nodes, fencing
constraints that were left behind. "warn" logs them, "fail" refuses the configuration, "off" does not look.`,
    ...traceProse,
  },
} satisfies EnglishProse<typeof params>;
