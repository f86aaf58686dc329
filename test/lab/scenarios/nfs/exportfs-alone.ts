import { agents, call, type Situation } from './situations.ts';

// Exports of a server that runs, with a client at work. The state of the server is on /srv/ha, two more filesystems are on
// /srv/one and /srv/two, so that these can go while the server stays.

const exportfs = call('exportfs');
const filesystem = call('Filesystem');
const nfsserver = call('nfsserver');

const server = ['nfs_shared_infodir=/srv/ha/nfs', 'nfs_no_notify=1'];
const recurring = 'CRM_meta_interval=10000';
const options = 'options=rw,sync,no_root_squash';
const one = ['directory=/srv/one', 'clientspec=*', 'fsid=11', options];
const both = ['directory=/srv/one /srv/two', 'clientspec=10.77.0.0/24', 'fsid=21', options];
const disk = (name: string) => [
  `device=/srv/${name}.img`,
  `directory=/srv/${name}`,
  'fstype=ext4',
  'options=loop',
];

const here = '10.77.0.12';
const etab = '/run/tsha-nfs/exports/etab';
const listed = (text: string) => `grep -q '${text}' ${etab}`;

export const madeFilesystems = ['one', 'two']
  .map((name) => `truncate -s 24M /srv/${name}.img; mkfs.ext4 -q -F /srv/${name}.img; mkdir -p /srv/${name}`)
  .join('\n');

const before: readonly Situation[] = [
  nfsserver('start', server, { what: 'a server', exit: 0, leaves: 'serving; endgrace' }),
  filesystem('start', disk('one'), { what: 'a filesystem', exit: 0 }),
  filesystem('start', disk('two'), { what: 'and another', exit: 0 }),
];

const life: readonly Situation[] = [
  exportfs('monitor', one, { what: 'a probe of what is not exported (exportfs#10)', exit: 7 }),
  exportfs('stop', one, { what: 'stop of what is not exported (exportfs#7)', exit: 0 }),
  exportfs('start', ['directory=/srv/none', 'clientspec=*'], {
    what: 'a directory that is not there (exportfs#2)',
    exit: 6,
  }),
  exportfs('stop', ['directory=/srv/none', 'clientspec=*'], { what: 'can be stopped (exportfs#8)', exit: 0 }),
  exportfs('start', ['directory=/srv/one', 'clientspec=*', 'options=rw,bogus'], {
    what: 'an option that nobody knows (exportfs#51)',
    exit: 1,
    leaves: `not ${listed('/srv/one')}`,
  }),
  exportfs('start', one, {
    what: 'start: a client mounts it over NFSv4.2 and NFSv3 (exportfs#1)',
    exit: 0,
    leaves: listed('^/srv/one.*fsid=11'),
    clientSees: `attach 4.2 v4 ${here}:/srv/one
attach 3 v3 ${here}:/srv/one
hold v4
hold v3`,
  }),
  exportfs('start', one, {
    what: 'a second start (exportfs#6)',
    exit: 0,
    leaves: `[ $(grep -c ^/srv/one ${etab}) = 1 ]`,
  }),
  exportfs('monitor', [...one, recurring], {
    what: "monitor keeps the NFSv3 client's mount with the export (exportfs#9,54)",
    exit: 0,
    leaves: "grep -q '^10.77.0.13:/srv/one:' /srv/one/.rmtab",
  }),
  exportfs('status', one, { what: 'status (exportfs#73)', exit: 0 }),
];

const changed: readonly Situation[] = [
  exportfs('start', [...one.slice(0, 3), 'options=ro,sync,no_root_squash'], {
    what: 'start with new options: the client may only read now (exportfs#50)',
    exit: 0,
    clientSees: 'not touch /mnt/v4/file',
  }),
  exportfs('start', one, { what: 'and write again', exit: 0, clientSees: 'touch /mnt/v4/file' }),
];

const busy: readonly Situation[] = [
  filesystem('stop', disk('one'), {
    what: 'Filesystem stop below an export names the NFS server',
    timeout: 4,
    exit: 1,
    within: 4,
    says: /ocf-exit-reason.*NFS server exports \/srv\/one/,
    leaves: 'mountpoint -q /srv/one; serving',
  }),
  exportfs('stop', [...one, 'unlock_on_stop=0'], {
    what: 'stop without unlocking leaves the locks as they are (exportfs#64)',
    exit: 0,
    leaves: `not ${listed('/srv/one')}
locked /srv/one/lock-v4
locked /srv/one/lock-v3`,
  }),
  filesystem('stop', disk('one'), {
    what: 'Filesystem stop then names the NFS clients that have files open there',
    timeout: 4,
    exit: 1,
    within: 4,
    says: /ocf-exit-reason.*NFS/,
    leaves: 'mountpoint -q /srv/one',
  }),
  exportfs('start', one, { what: 'exported again', exit: 0, clientSees: 'touch /mnt/v4/file /mnt/v3/file' }),
  exportfs('stop', [...one, 'wait_for_leasetime_on_stop=1'], {
    what: 'stop takes the locks and the NFSv4 state away, and does not wait for a lease then (exportfs#5,63,66)',
    exit: 0,
    within: 8,
    leaves: `not locked /srv/one/lock-v4
not locked /srv/one/lock-v3
[ -s /srv/one/.rmtab ]
serving`,
  }),
  filesystem('stop', disk('one'), {
    what: 'the filesystem can go, while clients have it mounted and the server goes on',
    timeout: 8,
    exit: 0,
    within: 8,
    leaves: 'not mountpoint -q /srv/one; serving',
  }),
  filesystem('start', disk('one'), { what: 'it comes back', exit: 0 }),
  exportfs('start', one, {
    what: 'with its list of NFSv3 mounts (exportfs#55)',
    before: ': > /run/tsha-nfs/exports/rmtab',
    exit: 0,
    leaves: "grep -q '^10.77.0.13:/srv/one:' /run/tsha-nfs/exports/rmtab",
    clientSees: 'touch /mnt/v4/file /mnt/v3/file; detach v3; detach v4',
  }),
];

// each dates itself a second ahead of the one before: any other one, for two seconds, clears nothing
const flushTooSoon = 'for i in 1 2; do exportfs -f; done';
const forgotten: readonly Situation[] = [
  exportfs('start', one, {
    what: 'exported, a client at work',
    exit: 0,
    clientSees: `attach 4.2 v4 ${here}:/srv/one`,
  }),
  exportfs('stop', one, {
    what: 'stop within the second of a flush: nothing of the export is left in the kernel, which would keep the filesystem busy',
    before: flushTooSoon,
    client: 'touch /mnt/v4/file',
    exit: 0,
    within: 15,
    leaves: 'not grep -q /srv/one /proc/net/rpc/nfsd.export/content',
  }),
  exportfs('start', one, {
    what: 'exported again, just after a flush',
    before: flushTooSoon,
    exit: 0,
    clientSees: 'touch /mnt/v4/file',
  }),
  filesystem('stop', disk('one'), {
    what: 'an export ended by hand then keeps no filesystem busy: Filesystem stop flushes what is left',
    before: "exportfs -u '*:/srv/one'",
    exit: 0,
    within: 15,
    leaves: 'not mountpoint -q /srv/one',
    clientSees: 'detach v4',
  }),
  filesystem('start', disk('one'), { what: 'and back', exit: 0 }),
  exportfs('stop', one, { what: 'nothing is exported', exit: 0 }),
];

const two = (name: string, client: string) => [
  `OCF_RESOURCE_INSTANCE=${name}`,
  'directory=/srv/one',
  `clientspec=${client}`,
  'fsid=11',
  options,
];
const neighbours: readonly Situation[] = [
  exportfs('stop', one, { what: 'stop', exit: 0 }),
  exportfs('start', two('for-all', '10.77.0.0/24'), { what: 'the same directory to a network', exit: 0 }),
  exportfs('start', two('for-one', '10.77.0.13'), {
    what: 'and to one of its hosts',
    exit: 0,
    clientSees: `attach 4.1 v41 ${here}:/srv/one; hold v41`,
  }),
  exportfs('stop', two('for-all', '10.77.0.0/24'), {
    what: 'stop of one of two exports of a directory leaves the other, and its locks (exportfs#45,69; X15)',
    exit: 0,
    within: 5,
    leaves: `${listed('10.77.0.13')}
locked /srv/one/lock-v41`,
    clientSees: 'touch /mnt/v41/file',
  }),
  exportfs('monitor', [...two('for-one', '10.77.0.13'), recurring], {
    what: 'which its monitor still finds (exportfs#45)',
    exit: 0,
  }),
  exportfs('monitor', [...two('for-all', '10.77.0.0/24'), recurring], {
    what: 'while the other one is gone (exportfs#44)',
    exit: 7,
  }),
  exportfs('stop', two('for-one', '10.77.0.13'), {
    what: 'the last one takes the locks',
    exit: 0,
    leaves: 'not locked /srv/one/lock-v41',
    after: '',
  }),
  exportfs('start', both, {
    what: 'two directories in one resource (exportfs#11)',
    exit: 0,
    leaves: `${listed('^/srv/one.*fsid=21')}; ${listed('^/srv/two.*fsid=22')}`,
  }),
  exportfs('monitor', [...both, recurring], {
    what: 'one of them taken out by hand (exportfs#46)',
    before: 'exportfs -u 10.77.0.0/24:/srv/two',
    exit: 1,
    says: /\/srv\/two/,
  }),
  exportfs('stop', both, {
    what: 'stop takes what is left (exportfs#14,47)',
    exit: 0,
    leaves: `not ${listed('^/srv')}`,
    clientSees: 'detach v41',
  }),
];

const each = (numbers: string, action: string) => `rm -f /run/many.failed
for i in $(seq ${numbers}); do
  mkdir -p /srv/two/d$i
  env OCF_ROOT=/usr/lib/ocf OCF_RESKEY_CRM_meta_timeout=200000 OCF_RESOURCE_INSTANCE=many-$i OCF_RESKEY_directory=/srv/two/d$i OCF_RESKEY_clientspec='*' OCF_RESKEY_fsid=$((100 + i)) ${agents}/exportfs ${action} 2> /dev/null || echo $i >> /run/many.failed &
done
wait
[ ! -e /run/many.failed ]`;
const last = ['directory=/srv/two/d50', 'clientspec=*', recurring, 'OCF_RESOURCE_INSTANCE=many-50'];

const crowd: readonly Situation[] = [
  exportfs('monitor', last, {
    what: '50 resources start at the same time (exportfs#72)',
    before: each('50', 'start'),
    exit: 0,
    leaves: `[ $(grep -c ^/srv/two/d ${etab}) = 50 ]`,
  }),
  exportfs('monitor', last, {
    what: 'ten of them stop at the same time',
    before: each('41 50', 'stop'),
    exit: 7,
    leaves: `[ $(grep -c ^/srv/two/d ${etab}) = 40 ]`,
  }),
];

const end: readonly Situation[] = [
  exportfs('start', one, { what: 'one more', exit: 0 }),
  exportfs('monitor', [...one, recurring], {
    what: 'somebody took all exports away (exportfs#78)',
    before: 'exportfs -ua',
    exit: 7,
  }),
  exportfs('stop', one, { what: 'stop at the end', exit: 0 }),
  filesystem('stop', disk('two'), { what: 'filesystems go', exit: 0 }),
  filesystem('stop', disk('one'), { what: 'both of them', exit: 0 }),
  nfsserver('stop', server, { what: 'and the server', exit: 0, leaves: 'idle; free' }),
];

export const exportfsAlone: readonly Situation[] = [
  ...before,
  ...life,
  ...changed,
  ...busy,
  ...forgotten,
  ...neighbours,
  ...crowd,
  ...end,
];
