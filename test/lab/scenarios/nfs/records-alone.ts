import { call, type Rest, type Situation } from './situations.ts';

// What NFSv3 clients are told by after a restart, with one at work that holds a lock: somebody else ends or restarts the server, nobody
// hears lockd's farewell, the filesystem is full. After each, the client must get its lock back.

const nfsnotify = call('nfsnotify');
const exportfs = call('exportfs');
const nfsserver = call('nfsserver');

const here = '10.77.0.12';
const server = ['nfs_shared_infodir=/srv/ha/nfs', 'nfs_no_notify=1'];
const data = ['directory=/srv/ha/data', 'clientspec=*', 'fsid=31', 'options=rw,sync,no_root_squash'];
const from = [`source_host=${here}`];
const recurring = 'CRM_meta_interval=10000';
const lock = '/srv/ha/data/lock-v3';
const monitored = `within 10 test -e /var/lib/nfs/sm/client`;
const waits = '[ -e /srv/ha/nfs/sm.bak/client ]';
/** Where statd heard no farewell, the next start retires the record. */
const waitsOrStays = '[ -e /srv/ha/nfs/sm.bak/client ] || [ -e /srv/ha/nfs/sm/client ]';

/** A client that comes while nothing is on record. */
const begin: readonly Situation[] = [
  nfsserver('start', server, {
    what: 'records: a server',
    // as the packages make it for the alert agent: rpc.statd's user cannot go in
    before: 'mkdir -p /srv/ha/data; install -d -m 750 -o hacluster -g haclient /var/lib/tsha',
    exit: 0,
    leaves: 'endgrace',
  }),
  exportfs('start', data, { what: 'an export, and a client with a lock over NFSv3', exit: 0 }),
  nfsnotify('start', from, {
    what: 'rpc.statd has the client on record',
    exit: 0,
    clientSees: `attach 3 v3 ${here}:/srv/ha/data; hold v3`,
  }),
];

/** Whatever happened before, the client gets its lock back. */
const recovered = (what: string, words: Partial<Rest> = {}): readonly Situation[] => [
  nfsnotify('stop', from, { what: `${what}: nfsnotify stops`, exit: 0 }),
  exportfs('stop', data, { what: `${what}: exportfs stops`, exit: 0 }),
  nfsserver('stop', server, {
    what: `${what}: stop`,
    exit: 0,
    within: 8,
    leaves: `idle; free; ${waits}`,
    ...words,
  }),
  nfsserver('start', server, {
    what: `${what}: start, and lockd's grace period goes on`,
    exit: 0,
    leaves: '[ "$(cat /proc/fs/lockd/nlm_end_grace)" = N ]',
  }),
  exportfs('start', data, { what: `${what}: the export is back`, exit: 0, leaves: `not locked ${lock}` }),
  nfsnotify('start', from, {
    what: `${what}: the client is told, and has its lock again`,
    exit: 0,
    leaves: `within 10 locked ${lock}; endgrace; ${monitored}`,
  }),
];

const others: readonly Situation[] = [
  nfsserver('monitor', [...server, recurring], {
    what: 'nfsd is ended by somebody else: the records outlive it (N9)',
    before: `${monitored}; rpc.nfsd 0; idle`,
    exit: 1,
    says: /no nfsd threads/,
    leaves: waits,
  }),
  ...recovered('N9, rpc.nfsd 0'),
  nfsserver('monitor', [...server, recurring], {
    what: 'nfsd is restarted by somebody else: its clients do not know (N9)',
    before: 'systemctl restart nfs-server; serving',
    exit: 1,
    says: /ocf-exit-reason.*know nothing of it/,
    leaves: waits,
  }),
  ...recovered('N9, systemctl restart'),
];

const deaf: readonly Situation[] = recovered('N10, rpcbind was killed and is back', {
  leaves: `idle; free; ${waitsOrStays}`,
  before: `${monitored}
systemctl kill -s KILL rpcbind.service
systemctl stop rpcbind.socket rpcbind.service || true
rm -f /run/rpcbind/*.xdr
systemctl reset-failed
systemctl start rpcbind.socket rpcbind.service`,
});

const full: readonly Situation[] = [
  nfsserver('monitor', [...server, recurring, 'OCF_CHECK_LEVEL=10'], {
    what: 'the filesystem is full: a warning (N11)',
    before: `${monitored}
dd if=/dev/zero of=/srv/ha/data/full bs=1M 2> /dev/null || true
dd if=/dev/zero of=/srv/ha/data/full bs=1k conv=notrunc oflag=append 2> /dev/null || true
sync /srv/ha/data`,
    exit: 0,
    says: /is full/,
  }),
  ...recovered('N11, no room'),
  nfsserver('monitor', [...server, recurring, 'OCF_CHECK_LEVEL=10'], {
    what: 'room again: nothing to warn of (N11)',
    before: 'rm /srv/ha/data/full; sync /srv/ha/data',
    exit: 0,
    leaves: 'not grep -q "is full" /run/by-hand.err; [ "$(stat -c %s /var/lib/nfs/reserve)" -gt 1000000 ]',
  }),
];

const end: readonly Situation[] = [
  nfsnotify('stop', from, { what: 'records: nfsnotify stops', exit: 0 }),
  exportfs('stop', data, { what: 'records: exportfs stops', exit: 0, clientSees: 'detach v3' }),
  nfsserver('stop', server, { what: 'records: the server stops', exit: 0, leaves: 'idle; free' }),
];

export const recordsAlone: readonly Situation[] = [...begin, ...others, ...deaf, ...full, ...end];
