import { call, type Situation } from './situations.ts';

// What keeps clients out of the server's state. An export is a directory to honest clients only: the kernel does not check that a file
// handle lies below it (no_subtree_check, the default), and whoever can send packets can make one up.

const nfsserver = call('nfsserver');
const exportfs = call('exportfs');

const here = '10.77.0.11';
const beside = ['nfs_shared_infodir=/srv/data/state', 'nfs_no_notify=1'];
const apart = ['nfs_shared_infodir=/srv/state', 'nfs_no_notify=1'];
const share = ['directory=/srv/data/share', 'clientspec=*', 'fsid=43', 'options=rw,sync'];

/** The root directory of ext4. */
const rootInode = 2;
const forged = (device = ''): string =>
  `python3 /root/lab/forged.py ${here} /srv/data/share ${rootInode} ${device}`;

const filesystems = ['data', 'state']
  .map(
    (name) =>
      `truncate -s 24M /srv/${name}.img; mkfs.ext4 -q -F /srv/${name}.img; mkdir -p /srv/${name}; mount -o loop /srv/${name}.img /srv/${name}`,
  )
  .join('\n');

export const forgedAlone: readonly Situation[] = [
  nfsserver('start', beside, {
    what: 'forged: a server whose state lies beside the export, on the same filesystem',
    before: `${filesystems}\nmkdir /srv/data/share /srv/data/state`,
    exit: 0,
    leaves: 'endgrace',
  }),
  exportfs('start', share, {
    what: 'forged: a made-up file handle reaches what lies beside the export',
    exit: 0,
    clientSees: `${forged()} > /run/forged\ngrep -x share /run/forged\ngrep -x state /run/forged`,
  }),
  nfsserver('validate-all', [...beside, 'OCF_CHECK_LEVEL=10'], {
    what: 'forged: validate-all at level 10 warns of it',
    exit: 0,
    says: /is on the filesystem of the export/,
  }),
  exportfs('stop', share, { what: 'forged: the export stops', exit: 0 }),
  nfsserver('stop', beside, { what: 'forged: the server stops', exit: 0, leaves: 'idle; free' }),
  nfsserver('start', apart, {
    what: 'forged: a server whose state has a filesystem of its own',
    before: 'rm -r /srv/data/state',
    exit: 0,
    leaves: 'endgrace\n[ -e /srv/state/etab ]',
  }),
  exportfs('start', share, {
    what: 'forged: no made-up file handle reaches another filesystem',
    exit: 0,
    clientSees: `${forged()} > /run/forged
grep -x share /run/forged
not grep -x state /run/forged
for minor in 0 1 2 3; do not ${forged('7:$minor')}; done`,
  }),
  exportfs('stop', share, { what: 'forged: the export is gone', exit: 0 }),
  nfsserver('stop', apart, {
    what: 'forged: the server is gone',
    exit: 0,
    leaves: 'idle; free',
    after: 'umount /srv/data /srv/state; rm -r /srv/data.img /srv/state.img /srv/data /srv/state',
  }),
];
