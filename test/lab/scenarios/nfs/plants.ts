// What root on a client puts in the place of the server's files, over NFS.

/** What the server's root owns, and has not changed since the beginning. */
export const untouched = `[ -z "$(find /etc /usr/lib/ocf /usr/local /root /var/spool -newer /run/hostile-begun ! -type d ! -path '*/zz-tsha-nfsserver.conf')" ]
not ls /etc/cron.d/client /etc/profile.d/client
[ -z "$(ls /etc/*.tsha* /etc/cron.d/*.tsha* 2> /dev/null)" ]`;

const instead = (infodir: string, name: string, plant: string): string =>
  `mv ${infodir}/${name} ${infodir}/was-${name} 2> /dev/null || true\n${plant} ${infodir}/${name} ${plant.startsWith('mknod') ? 'b 98 16' : ''}`;
const link = (infodir: string, name: string, target: string): string =>
  `mv ${infodir}/${name} ${infodir}/was-${name} 2> /dev/null || true\nln -s ${target} ${infodir}/${name}`;

export type Attack = {
  readonly what: string;
  /** Shell, typed there. */
  readonly client: string;
};

/** On the server's state as the client sees it. */
export const attacksBelow = (infodir: string): readonly Attack[] => [
  {
    what: 'links where the server keeps directories and files',
    client: [
      link(infodir, 'sm', '/etc/profile.d'),
      link(infodir, 'sm.bak', '/etc/cron.d'),
      link(infodir, 'sm.tsha', '/root'),
      link(infodir, 'state', '/etc/hostname'),
      link(infodir, 'v4recovery', '/etc'),
      link(infodir, 'nfsdcld', '/root'),
      link(infodir, 'rpc_pipefs', '/usr/local'),
      link(infodir, 'etab', '/etc/passwd'),
      link(infodir, 'rmtab', '/etc/group'),
      link(infodir, 'reserve', '/etc/fstab'),
      link(infodir, 'server-scope', '/etc/shadow'),
      link(infodir, 'lease-time', '/etc/shadow'),
      link(infodir, 'tsha-connections', '/etc/hosts'),
      link(infodir, 'kept-by-statd', '/etc/hosts'),
    ].join('\n'),
  },
  {
    what: 'FIFOs, which nobody ever fills',
    client: [
      'sm.bak',
      'state',
      'etab',
      'rmtab',
      'reserve',
      'server-scope',
      'tsha-connections',
      'kept-by-statd',
    ]
      .map((name) => instead(infodir, name, 'mkfifo'))
      .join('\n'),
  },
  {
    what: 'devices: the disk itself',
    client: ['sm', 'sm.bak', 'state', 'rmtab', 'reserve', 'server-scope', 'tsha-connections']
      .map((name) => instead(infodir, name, 'mknod'))
      .join('\n'),
  },
];
