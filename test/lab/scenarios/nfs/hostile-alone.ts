import { type Attack, attacksBelow, untouched } from './plants.ts';
import { call, type Situation } from './situations.ts';

// The tutorial's layout, where the exported directory holds the server's own: root on a client puts there what the server's root would
// follow, open or wait for, over NFS, while the server runs. Nothing outside the export may change, nobody may wait, no stop may fail.

const nfsserver = call('nfsserver');
const exportfs = call('exportfs');
const nfsnotify = call('nfsnotify');

const here = '10.77.0.11';
const server = ['nfs_shared_infodir=/srv/ha/nfs', 'nfs_no_notify=1'];
const data = ['directory=/srv/ha', 'clientspec=*', 'fsid=41', 'options=rw,sync,no_root_squash'];
const from = [`source_host=${here}`];
const recurring = 'CRM_meta_interval=10000';

const attacks = attacksBelow('/mnt/evil/nfs');

const begin: readonly Situation[] = [
  nfsserver('start', server, {
    what: 'hostile: a server in the exported directory',
    before: 'mkdir -p /srv/ha/nfs; sleep 1; touch /run/hostile-begun; sleep 1',
    exit: 0,
    leaves: 'endgrace',
  }),
  exportfs('start', data, {
    what: 'hostile: its export, and a client with root',
    exit: 0,
    clientSees: `mkdir -p /mnt/evil\nmount -t nfs -o vers=4.2,soft,timeo=100 ${here}:/srv/ha /mnt/evil`,
  }),
  nfsnotify('start', from, { what: 'hostile: clients are told', exit: 0 }),
];

const campaign = ({ what, client }: Attack): readonly Situation[] => [
  nfsserver('monitor', [...server, recurring], {
    what: `S1-S6 (${what}): a monitor of the server, which serves`,
    client,
    exit: 0,
    within: 15,
    leaves: untouched,
  }),
  nfsnotify('stop', from, {
    what: `S1-S6 (${what}): nfsnotify stops`,
    exit: 0,
    within: 15,
    leaves: untouched,
  }),
  nfsnotify('start', from, {
    what: `S1-S6 (${what}): nfsnotify starts`,
    exit: 0,
    within: 15,
    leaves: untouched,
  }),
  exportfs('monitor', [...data, recurring], {
    what: `S1-S6 (${what}): a monitor of the export`,
    exit: 0,
    within: 15,
    leaves: untouched,
  }),
  nfsserver('stop', server, {
    what: `S1-S6 (${what}): the server stops`,
    client,
    exit: 0,
    within: 20,
    leaves: `idle; free\n${untouched}`,
  }),
  nfsserver('start', server, {
    what: `S1-S6 (${what}): the server starts, and says what it moved aside`,
    exit: 0,
    says: /was a (symbolic link|FIFO|device), and not a (file|directory): it is called/,
    within: 20,
    leaves: `serving; bound; endgrace
[ "$(stat -c %F /srv/ha/nfs/sm.bak)" = directory ]
${untouched}`,
  }),
  exportfs('start', data, { what: `S1-S6 (${what}): the export is back`, exit: 0 }),
];

const end: readonly Situation[] = [
  nfsnotify('stop', from, {
    what: 'hostile: the client goes, nfsnotify stops',
    client: 'umount /mnt/evil', // another mount of this machine would share its state with this one
    exit: 0,
  }),
  exportfs('stop', data, { what: 'hostile: the export stops', exit: 0 }),
  nfsserver('stop', server, {
    what: 'hostile: the server stops',
    exit: 0,
    leaves: `idle; free\n${untouched}`,
    after: 'rm -rf /srv/ha/nfs',
  }),
];

/** After which the client forgets the mount. */
export const hostileAlone: readonly Situation[] = [...begin, ...attacks.flatMap(campaign), ...end];
