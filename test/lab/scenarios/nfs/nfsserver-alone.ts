import { call, type Situation } from './situations.ts';

// The NFS server on one node, without Pacemaker: a disk of its own is mounted on /srv/ha. Each situation begins where the one
// before it ended.

const infodir = '/srv/ha/nfs';
const shared = [`nfs_shared_infodir=${infodir}`, 'nfs_no_notify=1'];
const local = ['nfs_no_notify=1'];
const recurring = 'CRM_meta_interval=10000';
/** Y once lockd's grace period is over. */
const lockGrace = '/proc/fs/lockd/nlm_end_grace';

const nfsserver = call('nfsserver');

const stopped = (what: string, params: readonly string[] = shared, leaves = ''): Situation =>
  nfsserver('stop', params, { what, exit: 0, leaves: `idle\nfree\n${leaves}` });

const life: readonly Situation[] = [
  nfsserver('meta-data', [], {
    what: 'meta-data is well-formed (nfsserver#12)',
    exit: 0,
    leaves: 'xmllint --noout /run/by-hand.out',
  }),
  nfsserver('usage', [], { what: 'usage answers (nfsserver#10)', exit: 0 }),
  nfsserver('no_cmd', [], { what: 'an unknown action is refused (nfsserver#9)', exit: 3 }),
  nfsserver('validate-all', local, { what: 'validate-all on a plain Debian (nfsserver#13)', exit: 0 }),
  nfsserver('validate-all', ['nfs_init_script=/nonexistent'], {
    what: 'under systemd an init script does not matter (nfsserver#20)',
    exit: 0,
  }),
  nfsserver('validate-all', ['nfs_smnotify_retry_time=abc'], {
    what: 'a retry time must be a number (nfsserver#14)',
    exit: 6,
    says: /abc/,
  }),
  nfsserver('validate-all', ['nfs_server_scope=x; touch /run/harmed'], {
    what: 'a scope never reaches a shell (nfsserver#90)',
    exit: 6,
    leaves: '[ ! -e /run/harmed ]',
  }),
  nfsserver('monitor', local, {
    what: 'a probe before the first start (nfsserver#8)',
    exit: 7,
    leaves: 'idle',
  }),
  stopped('stop of what never ran (nfsserver#6)', local),
  nfsserver('start', [...shared, 'CRM_meta_clone=0'], {
    what: 'a clone cannot share a directory (nfsserver#16)',
    exit: 6,
    leaves: 'idle; free',
  }),
  nfsserver('stop', [...shared, 'CRM_meta_clone=0'], { what: 'but it can stop (nfsserver#17)', exit: 0 }),
  nfsserver('start', shared, {
    what: 'the first start furnishes an empty shared directory (nfsserver#1,3,45,47,49)',
    before: `rm -rf ${infodir}`,
    exit: 0,
    leaves: `serving
[ "$(stat -c %d:%i /var/lib/nfs)" = "$(stat -c %d:%i ${infodir})" ]
for dir in sm sm.bak v4recovery; do [ -d ${infodir}/$dir ]; done
for file in etab rmtab xtab; do [ -f ${infodir}/$file ]; done
[ "$(stat -c %U ${infodir}/sm)" = statd ]
[ "$(stat -c %s ${infodir}/state)" = 4 ]`,
  }),
  nfsserver('monitor', shared, { what: 'monitor of a server that runs (nfsserver#7)', exit: 0 }),
  nfsserver('status', shared, { what: 'status is another word for monitor (nfsserver#25)', exit: 0 }),
  nfsserver('monitor', [...shared, 'rpcpipefs_dir=/var/lib/nfs/rpc_pipefs/'], {
    what: 'a slash behind a directory does not matter (nfsserver#67)',
    exit: 0,
  }),
  nfsserver('monitor', [...shared, recurring], {
    what: "no rpc_pipefs below the state where nfs.conf has it elsewhere, as Debian's (nfsserver#68)",
    exit: 0,
    leaves: 'not grep -q " /var/lib/nfs/rpc_pipefs " /proc/mounts',
  }),
  nfsserver('start', shared, {
    what: 'a second start changes nothing (nfsserver#5,51)',
    before: `cut -d' ' -f 3-5 /proc/self/mountinfo > /run/mounts.before
systemctl show -p ActiveEnterTimestampMonotonic nfs-server > /run/since.before`,
    exit: 0,
    leaves: `cut -d' ' -f 3-5 /proc/self/mountinfo | cmp - /run/mounts.before
systemctl show -p ActiveEnterTimestampMonotonic nfs-server | cmp - /run/since.before`,
  }),
  stopped(
    'stop leaves neither threads nor daemons nor the mount (nfsserver#4)',
    shared,
    'for name in rpc.mountd rpc.idmapd rpc.statd nfsdcld; do gone $name; done',
  ),
  stopped('a second stop'),
  nfsserver('start', shared, {
    what: 'each start takes a new state number, odd and greater (nfsserver#48)',
    before: `od -An -td4 ${infodir}/state > /run/state.before`,
    exit: 0,
    leaves: `now=$(od -An -td4 /var/lib/nfs/state)
[ $((now % 2)) = 1 ]
[ $now -gt $(cat /run/state.before) ]
[ $now = $(cat /proc/sys/fs/nfs/nsm_local_state) ]`,
  }),
  nfsserver('monitor', shared, {
    what: 'no NFSv3 client is on record: new locks do not wait for lockd',
    exit: 0,
    leaves: `[ "$(cat ${lockGrace})" = Y ]`,
  }),
  stopped('stop, a client on record from now on'),
  nfsserver('start', shared, {
    what: 'an NFSv3 client on record has its time to claim its locks',
    before: `touch ${infodir}/sm.bak/192.0.2.9`,
    exit: 0,
    leaves: `[ "$(cat ${lockGrace})" = N ]`,
    after: `rm ${infodir}/sm.bak/192.0.2.9`,
  }),
];

/** A socket unit would start it again for the next question. */
const kill = (unit: string, process: string) => `systemctl --quiet stop ${unit}.socket || true
systemctl kill -s KILL --kill-who=all ${unit} || true
while runs ${process}; do sleep 0.02; done`;

/** While the server runs, and goes on with a helper less: monitor sees it, and stop gets through all the same. */
const helperDies = (unit: string, process: string, cases: string): readonly Situation[] => [
  nfsserver('start', shared, { what: `start, ${process} dead before`, exit: 0, leaves: `runs ${process}` }),
  nfsserver('monitor', [...shared, recurring], {
    what: `${process} was killed: monitor says so (${cases})`,
    before: kill(unit, process),
    exit: 1,
    says: new RegExp(process),
    leaves: 'serving',
  }),
  stopped(`stop, ${process} dead before`),
];

const helpers: readonly Situation[] = [
  ...helperDies('rpc-statd', 'rpc.statd', 'nfsserver#33'),
  ...helperDies('nfs-mountd', 'rpc.mountd', 'nfsserver#30'),
  ...helperDies('nfs-idmapd', 'rpc.idmapd', 'nfsserver#32'),
  ...helperDies('nfsdcld', 'nfsdcld', 'nfsserver#35'),
  ...helperDies('rpcbind', 'rpcbind', 'nfsserver#28'),
  nfsserver('start', shared, { what: 'start once more', exit: 0 }),
  nfsserver('monitor', [...shared, recurring], {
    what: 'an editor with rpc.mountd among its arguments is no rpc.mountd (nfsserver#40)',
    before: `${kill('nfs-mountd', 'rpc.mountd')}
setsid python3 -c 'import time; time.sleep(60)' rpc.mountd & echo $! > /run/editor.pid`,
    exit: 1,
    says: /rpc\.mountd/,
    after: 'kill $(cat /run/editor.pid)',
  }),
  nfsserver('start', shared, {
    what: 'a start over a server with a dead helper makes it whole',
    exit: 0,
    leaves: 'runs rpc.mountd; serving',
  }),
  nfsserver('monitor', [...shared, recurring], {
    what: 'no threads, but everything else: not a clean stop',
    before: 'echo 0 > /proc/fs/nfsd/threads',
    exit: 1,
    says: /no nfsd threads/,
  }),
  stopped('stop of what is left of it'),
  nfsserver('monitor', local, {
    what: 'no threads although the unit is active: not running, and a reason (nfsserver#26)',
    before: 'systemctl start nfs-server; echo 0 > /proc/fs/nfsd/threads; systemctl -q is-active nfs-server',
    exit: 7,
    after: 'systemctl stop nfs-server',
  }),
];

const v4only = [...shared, 'nfsv4_only=1'];
const version4: readonly Situation[] = [
  nfsserver('start', v4only, {
    what: 'NFSv4 only needs no rpcbind: start where it cannot run (nfsserver#71)',
    before: `systemctl stop rpcbind.socket rpcbind
mv /sbin/rpcbind /sbin/rpcbind.away`,
    exit: 0,
    leaves: 'serving',
  }),
  nfsserver('monitor', [...v4only, recurring], {
    what: 'NFSv4 only: monitor does not miss rpcbind (nfsserver#29)',
    before: 'gone rpcbind',
    exit: 0,
    after:
      'mv /sbin/rpcbind.away /sbin/rpcbind; systemctl reset-failed; systemctl start rpcbind.socket rpcbind',
  }),
  nfsserver('monitor', [...v4only, recurring], {
    what: 'NFSv4 only needs rpc.mountd all the same (nfsserver#31)',
    before: kill('nfs-mountd', 'rpc.mountd'),
    exit: 1,
    says: /rpc\.mountd/,
  }),
  nfsserver('stop', v4only, {
    what: 'NFSv4 only: an rpc.statd of somebody else does not keep the mount (nfsserver#65)',
    before: 'systemctl start rpc-statd; runs rpc.statd',
    exit: 0,
    leaves: 'idle; free',
  }),
];

/** The unit's program fails until `mended`. */
const broken = (unit: string, command: string) => `mkdir -p /run/systemd/system/${unit}.service.d
printf '[Service]\\nExecStart=\\nExecStart=${command}\\n' > /run/systemd/system/${unit}.service.d/broken.conf
systemctl daemon-reload`;
const mended = (unit: string) => `rm -r /run/systemd/system/${unit}.service.d
systemctl daemon-reload
systemctl reset-failed`;

const cannotStart = (
  unit: string,
  cases: string,
  command = '/bin/false',
  says?: RegExp,
): readonly Situation[] => [
  nfsserver('start', shared, {
    what: `start, ${unit} is ${command}: a reason, not a timeout (${cases})`,
    before: broken(unit, command),
    exit: 1,
    says: says ?? new RegExp(`ocf-exit-reason.*${unit}`),
    within: 20,
    after: mended(unit),
  }),
  stopped(`stop after that (${unit})`),
];

const takenPort = `setsid python3 -c '
import socket, time
taken = socket.socket()
taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
taken.bind(("", 2049)); taken.listen(); time.sleep(60)' & echo $! > /run/taken.pid
until grep -q ':0801 ' /proc/net/tcp; do sleep 0.05; done`;

const failures: readonly Situation[] = [
  ...cannotStart('nfs-idmapd', 'nfsserver#72'),
  ...cannotStart('rpc-statd', 'nfsserver#73'),
  ...cannotStart('nfs-server', 'nfsserver#75', '/bin/true', /ocf-exit-reason.*no nfsd threads/),
  nfsserver('start', shared, {
    what: 'port 2049 is taken: the reason says so (nfsserver#74)',
    before: takenPort,
    exit: 1,
    says: /ocf-exit-reason.*(2049|in use)/,
    within: 20,
    after: 'kill $(cat /run/taken.pid)',
  }),
  stopped('stop after that (port 2049) (nfsserver#74)'),
  nfsserver('start', [`nfs_shared_infodir=/srv/ha/file`, 'nfs_no_notify=1'], {
    what: 'the shared directory is a file (nfsserver#50)',
    before: 'touch /srv/ha/file',
    exit: 1,
    says: /ocf-exit-reason.*not a directory/,
    leaves: 'idle; free',
  }),
];

/** Whether a process has its files in the shared directory. */
const isAt = (process: string, link: string) =>
  `[ "$(stat -L -c %d:%i /proc/$(pgrep -x ${process})/${link})" = "$(stat -c %d:%i ${infodir})" ]`;

const place: readonly Situation[] = [
  nfsserver('monitor', shared, {
    what: 'a server of the boot, with the state of this node: not ours, and not healthy (nfsserver#100)',
    before: 'systemctl start rpcbind rpc-statd nfs-server',
    exit: 1,
    says: /local/,
    leaves: 'serving',
  }),
  nfsserver('start', shared, {
    what: 'daemons that ran before get their files from the shared directory (nfsserver#83,84)',
    before: 'runs rpc.statd; runs nfsdcld',
    exit: 0,
    leaves: `${isAt('rpc.statd', 'cwd')}
ls -l /proc/$(pgrep -x nfsdcld)/fd | grep -q '/var/lib/nfs/nfsdcld/main.sqlite'
[ "$(stat -L -c %d /proc/$(pgrep -x nfsdcld)/fd/* | grep -cx "$(stat -c %d ${infodir})")" -gt 0 ]`,
  }),
  nfsserver('stop', shared, {
    what: 'a shell in /var/lib/nfs: stop names it and lets it live (nfsserver#56)',
    before: `cd /var/lib/nfs; setsid bash -c 'sleep 60; :' & echo $! > /run/shell.pid; sleep 0.2`,
    timeout: 10,
    exit: 1,
    says: /ocf-exit-reason.*bash/,
    within: 10,
    leaves: 'idle; bound; kill -0 $(cat /run/shell.pid)',
  }),
  nfsserver('stop', shared, {
    what: 'the shell gone, stop succeeds (nfsserver#57)',
    before: 'kill -KILL -- -$(cat /run/shell.pid) || kill $(cat /run/shell.pid); sleep 0.2',
    exit: 0,
    leaves: 'idle; free',
  }),
  nfsserver('start', shared, {
    what: 'a file system of somebody else on /var/lib/nfs: start refuses and names it (nfsserver#52)',
    before: 'mount -t tmpfs foreign /var/lib/nfs',
    exit: 1,
    says: /ocf-exit-reason.*foreign/,
    leaves: '[ -z "$(ls /var/lib/nfs)" ]; bound; idle',
  }),
  nfsserver('stop', shared, {
    what: 'stop leaves it there (nfsserver#52)',
    exit: 0,
    leaves: 'grep -q "^foreign /var/lib/nfs " /proc/mounts',
    after: 'umount /var/lib/nfs',
  }),
  nfsserver('start', local, {
    what: "the administrator's own mount on /var/lib/nfs serves as state (nfsserver#53)",
    before: `mount -t tmpfs own /var/lib/nfs
mkdir /var/lib/nfs/sm /var/lib/nfs/sm.bak`,
    exit: 0,
    leaves: 'serving',
  }),
  nfsserver('stop', local, {
    what: 'and stays when the server stops (nfsserver#53)',
    exit: 0,
    leaves: 'idle; grep -q "^own /var/lib/nfs " /proc/mounts',
    after: 'umount /var/lib/nfs',
  }),
  nfsserver('start', shared, {
    what: 'a mount beside the state directory confuses nobody (nfsserver#97)',
    before: 'mkdir -p /var/lib/nfs-other; mount -t tmpfs other /var/lib/nfs-other',
    exit: 0,
    leaves: 'bound',
  }),
  nfsserver('stop', shared, {
    what: 'nor does stop touch it (nfsserver#97); an nfsdcld that no unit knows is ended (nfsserver#59)',
    before: `systemctl stop nfsdcld
( cd / && setsid nfsdcld )
until runs nfsdcld; do sleep 0.05; done`,
    exit: 0,
    leaves: 'idle; free; mountpoint -q /var/lib/nfs-other; gone nfsdcld',
    after: 'umount /var/lib/nfs-other',
  }),
];

const scope = (name: string) => [...shared, `nfs_server_scope=${name}`];
const notices: readonly Situation[] = [
  nfsserver('start', scope('2001:db8::1'), {
    what: 'a scope that is no host name (nfsserver#85,89)',
    exit: 0,
    leaves: 'serving; grep -qrx "2001:db8::1" /run/tsha-nfs; [ "$(hostname)" = node1 ]',
  }),
  stopped('stop of a server with a scope (nfsserver#86)', scope('2001:db8::1'), '[ "$(hostname)" = node1 ]'),
  nfsserver('start', [`nfs_shared_infodir=${infodir}`, 'nfs_ip=192.0.2.1'], {
    what: 'an address that is not there yet is no reason to fail (nfsserver#81)',
    before: `printf '0a4d000d 000186b5 00000003 00000010 00000000000000000000000000000000 10.77.0.13 node1\\n' > ${infodir}/sm/10.77.0.13`,
    exit: 0,
    says: /192\.0\.2\.1/,
    within: 20,
    leaves: 'serving; [ -e /var/lib/nfs/sm.bak/10.77.0.13 ]',
  }),
  stopped(
    'a client that was not told is remembered over the stop (nfsserver#54)',
    shared,
    `[ -e ${infodir}/sm.bak/10.77.0.13 ]`,
  ),
  nfsserver('start', shared, {
    what: 'and over the next start, on whichever node; nobody is told where that is not wanted (nfsserver#55,79)',
    exit: 0,
    leaves: 'serving; [ -e /var/lib/nfs/sm.bak/10.77.0.13 ]; gone sm-notify',
  }),
  stopped('stop at the end'),
];

const tuned = [
  ...shared,
  ...['nfs_lease_time=12', 'nfs_grace_time=20', 'nfsd_args=4'],
  ...['mountd_port=892', 'statd_port=662', 'lockd_tcp_port=32803', 'lockd_udp_port=32769'],
];
const second = ['OCF_RESOURCE_INSTANCE=second', ...shared];
const settings: readonly Situation[] = [
  nfsserver('start', tuned, {
    what: 'times, ports and the number of threads reach the kernel and the daemons',
    exit: 0,
    leaves: `[ "$(cat /proc/fs/nfsd/nfsv4leasetime)" = 12 ]
[ "$(cat /proc/fs/nfsd/nfsv4gracetime)" = 20 ]
[ "$(threads)" = 4 ]
rpcinfo -p > /run/ports
grep -q 'tcp *892 *mountd' /run/ports
grep -q 'tcp *662 *status' /run/ports
grep -q 'tcp *32803 *nlockmgr' /run/ports
grep -q 'udp *32769 *nlockmgr' /run/ports`,
  }),
  nfsserver('monitor', [...tuned, recurring, 'OCF_CHECK_LEVEL=10'], {
    what: 'depth 10: nfsd, rpc.mountd and rpc.statd answer',
    exit: 0,
  }),
  nfsserver('monitor', [...tuned, recurring, 'OCF_CHECK_LEVEL=10'], {
    what: 'depth 10: rpc.mountd is there, but answers nobody',
    before: 'pkill -STOP -x rpc.mountd',
    exit: 1,
    says: /ocf-exit-reason.*mountd/,
    within: 15,
    after: 'pkill -CONT -x rpc.mountd',
  }),
  nfsserver('start', second, {
    what: 'a second resource on the same node is refused (nfsserver#99)',
    exit: 1,
    says: /ocf-exit-reason.*by-hand-nfsserver/,
    leaves: 'serving; bound',
  }),
  nfsserver('stop', second, {
    what: 'and its stop leaves the first one alone (nfsserver#99)',
    exit: 0,
    leaves: 'serving; bound',
  }),
  stopped('stop of a tuned server', tuned),
  nfsserver('start', [...shared, 'lockd_grace_time=10'], {
    what: "lockd has a grace time of its own beside nfs.conf's, which rpc.nfsd gives it",
    exit: 0,
    leaves: `[ "$(cat /proc/fs/nfsd/nfsv4gracetime)" = 15 ]
[ "$(cat /proc/sys/fs/nfs/nlm_grace_period)" = 10 ]`,
  }),
  stopped('stop of it', [...shared, 'lockd_grace_time=10']),
  nfsserver('start', shared, {
    what: 'nothing of it stays for the next start',
    exit: 0,
    leaves: `[ "$(cat /proc/fs/nfsd/nfsv4leasetime)" = "$(sed -n 's/^lease-time=//p' /etc/nfs.conf.d/ha.conf)" ]
[ "$(threads)" = 8 ]
rpcinfo -p > /run/ports
not grep -q 'tcp *892 *mountd' /run/ports`,
  }),
  stopped('stop at the very end'),
];

export const nfsserverAlone: readonly Situation[] = [
  ...life,
  ...helpers,
  ...version4,
  ...failures,
  ...place,
  ...notices,
  ...settings,
];
