import { call, type Situation } from './situations.ts';

// The notification of NFSv3 clients, with one at work that holds a lock. The export is on the filesystem of the server's state, so
// that its locks outlive the stop.

const nfsnotify = call('nfsnotify');
const exportfs = call('exportfs');
const nfsserver = call('nfsserver');

const here = '10.77.0.12';
const server = ['nfs_shared_infodir=/srv/ha/nfs', 'nfs_no_notify=1'];
const data = ['directory=/srv/ha/data', 'clientspec=*', 'fsid=31', 'options=rw,sync,no_root_squash'];
const from = [`source_host=${here}`];
const recurring = 'CRM_meta_interval=30000';
const sm = '/var/lib/nfs/sm';
/** The client of the tests among statd's records, as statd calls it: by its name. */
const known = (dir: string) => `[ -e ${dir}/client ]`;

const inGrace = '[ "$(cat /proc/fs/lockd/nlm_end_grace)" = N ]';

const words: readonly Situation[] = [
  nfsnotify('meta-data', [], {
    what: 'meta-data (nfsnotify#28)',
    exit: 0,
    leaves: 'xmllint --noout /run/by-hand.out',
  }),
  nfsnotify('foo', [], { what: 'an unknown action (nfsnotify#27)', exit: 3 }),
  nfsnotify('validate-all', from, { what: 'validate-all (nfsnotify#24)', exit: 0 }),
  nfsnotify('validate-all', ['notify_args=-P /x'], {
    what: 'no other state directory for notifications (nfsnotify#40)',
    exit: 6,
  }),
  nfsnotify('monitor', from, { what: 'a probe before anything ran (nfsnotify#1)', exit: 7 }),
  nfsnotify('start', from, {
    what: 'start without rpc.statd (nfsnotify#2)',
    before: 'gone rpc.statd',
    exit: 1,
    says: /ocf-exit-reason.*rpc\.statd/,
  }),
];

const story: readonly Situation[] = [
  nfsserver('start', server, {
    what: 'a server',
    // with a client on record while it starts: it would end the grace period itself otherwise
    before: `rm -rf /srv/ha/nfs/sm /srv/ha/nfs/sm.bak
mkdir -p /srv/ha/data /srv/ha/nfs/sm.bak
touch /srv/ha/nfs/sm.bak/192.0.2.9`,
    exit: 0,
    leaves: inGrace,
    after: 'rm /srv/ha/nfs/sm.bak/192.0.2.9',
  }),
  nfsnotify('start', from, {
    what: 'nobody waits: start lifts no grace (nfsnotify#30)',
    exit: 0,
    leaves: `${inGrace}; [ ! -e /var/lib/nfs/statd ]`,
  }),
  nfsnotify('stop', from, { what: 'stop', exit: 0, leaves: 'endgrace' }),
  exportfs('start', data, {
    what: 'a client takes a lock over NFSv3',
    exit: 0,
    clientSees: `attach 3 v3 ${here}:/srv/ha/data; hold v3`,
  }),
  nfsnotify('start', ['source_host=192.0.2.1'], {
    what: 'an address that is not of this machine (nfsnotify#32)',
    before: `within 5 test -e ${sm}/client`,
    exit: 1,
    says: /ocf-exit-reason.*192\.0\.2\.1/,
  }),
  nfsnotify('monitor', from, { what: 'a start that failed is no success later (nfsnotify#18)', exit: 7 }),
  exportfs('stop', data, {
    what: 'exportfs and nfsserver stop: the lock is remembered',
    exit: 0,
    leaves: 'locked /srv/ha/data/lock-v3',
  }),
  nfsserver('stop', server, {
    what: 'by name',
    exit: 0,
    leaves: `${known('/srv/ha/nfs/sm.bak')}; idle; free`,
  }),
  nfsserver('start', server, { what: 'a new server', exit: 0, leaves: `${known(`${sm}.bak`)}; ${inGrace}` }),
  exportfs('start', data, { what: 'the export is back', exit: 0, leaves: 'not locked /srv/ha/data/lock-v3' }),
  nfsnotify('start', from, {
    what: 'the client is told, and claims its lock again (nfsnotify#19,29)',
    exit: 0,
    within: 10,
    leaves: `within 8 locked /srv/ha/data/lock-v3
not ${known(`${sm}.bak`)}
${inGrace}`,
  }),
  nfsnotify('monitor', [...from, recurring], { what: 'monitor after that (nfsnotify#4)', exit: 0 }),
  nfsnotify('start', from, {
    what: 'a second start tells nobody (nfsnotify#5)',
    before: 'od -An -td4 /var/lib/nfs/state > /run/state.before',
    exit: 0,
    leaves: '[ "$(od -An -td4 /var/lib/nfs/state)" = "$(cat /run/state.before)" ]',
  }),
  nfsnotify('reload', from, { what: 'nor does reload (nfsnotify#23)', exit: 0 }),
];

const statdDies: readonly Situation[] = [
  nfsnotify('monitor', [...from, recurring], {
    what: "rpc.statd was killed: that is nfsserver's to report, monitor names it in a warning (N12)",
    before: 'pgrep -x rpc.statd > /run/statd.before; pkill -KILL -x rpc.statd; within 5 gone rpc.statd',
    exit: 0,
    says: /rpc\.statd \(pid \d+\)/,
  }),
  nfsnotify('monitor', [...from, recurring], {
    what: 'another rpc.statd is not the one that was running then (nfsnotify#8)',
    before: 'systemctl stop rpc-statd; systemctl start rpc-statd; runs rpc.statd',
    exit: 1,
  }),
  nfsnotify('start', from, { what: 'start after that (nfsnotify#9)', exit: 0 }),
  nfsnotify('monitor', [...from, recurring], { what: 'and monitor', exit: 0 }),
  nfsnotify('stop', from, { what: 'stop (nfsnotify#10)', exit: 0 }),
  nfsnotify('monitor', from, { what: 'monitor after it (nfsnotify#11)', exit: 7 }),
  nfsnotify('stop', from, { what: 'a second stop (nfsnotify#12)', exit: 0 }),
];

/** As statd writes it. */
const record = (address: string) =>
  `0100007f 000186b5 00000003 00000010 00112233445566778899aabbccddeeff ${address} node2`;

const silent: readonly Situation[] = [
  nfsnotify('start', from, {
    what: 'a client that never answers does not hold the start',
    before: `echo '${record('10.77.0.99')}' > ${sm}.bak/10.77.0.99`,
    exit: 0,
    within: 10,
    leaves: `[ -e ${sm}.bak/10.77.0.99 ]`,
  }),
  nfsnotify('stop', from, { what: 'nor the stop', exit: 0, within: 6 }),
  exportfs('stop', data, { what: 'exportfs stops', exit: 0, clientSees: 'detach v3' }),
  nfsserver('stop', server, {
    what: 'nor the state directory (nfsnotify#37)',
    exit: 0,
    within: 10,
    leaves: 'free; rm /srv/ha/nfs/sm.bak/10.77.0.99',
  }),
];

const version4: readonly Situation[] = [
  nfsnotify('start', from, {
    what: 'a server of NFSv4 only has nobody to notify (nfsnotify#39)',
    before: `printf '[nfsd]\\nvers3=n\\n' > /etc/nfs.conf.d/only4.conf
systemctl stop rpc-statd
systemctl start nfs-server`,
    exit: 0,
    after: 'systemctl stop nfs-server; rm /etc/nfs.conf.d/only4.conf',
  }),
  nfsnotify('stop', from, { what: 'stop at the end', exit: 0 }),
];

export const nfsnotifyAlone: readonly Situation[] = [
  ...words,
  ...story,
  ...statdDies,
  ...silent,
  ...version4,
];
