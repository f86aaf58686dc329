/** Files of nfs.conf(5), and what `nfsconf --get` of nfs-utils says then: `section key` and the value, `null` for none. */
export type ConfCase = {
  readonly what: string;
  /** The text of /etc/nfs.conf, or the texts of several files. */
  readonly files: string | { readonly [path: string]: string };
  readonly values: { readonly [name: string]: string | null };
  readonly env?: { readonly [name: string]: string };
  /** The first nfs-utils that does so, where it is not every one. */
  readonly since?: readonly [number, number, number];
};

const main = '/etc/nfs.conf';

export const confCases: readonly ConfCase[] = [
  {
    what: 'sections and keys in any case, the last one wins',
    files: '[mountd]\nState-Directory-Path=/var/lib/nfs\n[ MOUNTD ]\n\tstate-directory-path = /srv/state\t\n',
    values: { 'mountd state-directory-path': '/srv/state', 'Mountd STATE-directory-path': '/srv/state' },
  },
  {
    what: 'comments',
    files: '# [a]\n[a] # b=1\n;c=1\n  # d=1\nd=1 # two\ne=2;3\nf=/a#b\ng="x # y" # z\nh=#\n',
    values: { 'a b': null, 'a c': null, 'a d': '1', 'a e': '2', 'a f': '/a', 'a g': 'x # y', 'a h': null },
  },
  {
    what: 'quotes',
    files: `[a]\nb="1"\nc='n'\nd="it's"\ne='a "b"' c\nf="open\ng='open\nh=x"y"\ni=" z "\nj="1"\nj=""\nk=2\nk="\n`,
    values: {
      'a b': '1',
      'a c': 'n',
      'a d': "it's",
      'a e': 'a "b"',
      'a f': null,
      'a g': null,
      'a h': 'x"y"',
      'a i': ' z ',
      'a j': '1',
      'a k': '2',
    },
  },
  {
    what: 'an empty value is no assignment',
    files: '[a]\nb=1\nb=\nc=\n=d\ne\n',
    values: { 'a b': '1', 'a c': null, 'a e': null },
  },
  {
    what: 'sections with a name of their own, or without an end',
    files: '[a "x"]\nb=1\nc=1\n[a]\nb=2\n[a "y"] \nc=3\n[a\nb=4\n[a "z]\nd=1\n[a "w" v]\ne=1\n',
    values: { 'a b': '2', 'a c': null, 'a d': '1', 'a e': null },
  },
  {
    what: 'before the first section',
    files: { [main]: 'b=1\ninclude=x\n[a]\nc=1\n', '/etc/x': '[a]\nd=1\n' },
    values: { 'a b': null, 'a c': '1', 'a d': null },
  },
  {
    what: 'lines that go on, and a last one that does not end',
    files: '[a]\nb=1\\\n2\n# c=1\\\nd=1\ne=1\nf=1',
    values: { 'a b': '1  2', 'a d': null, 'a e': '1', 'a f': null },
  },
  {
    what: 'variables of the section, of the environment, of each other, and of nobody',
    files:
      '[environment]\nX=1\nY=$x\nZ=$HERE\nempty=\nHERE=conf\n[a]\nb=$X\nc=$y\nd=$Z\ne=$HERE\nf=$NOBODY\ng=$\nh=$empty\ni="$X"\nj=$X$X\nk=a$X\nl=$BLANK\nm=$SIGN\n',
    values: {
      'a b': '1',
      'a c': '1',
      'a d': 'env',
      'a e': 'env',
      'a f': null,
      'a g': null,
      'a h': null,
      'a i': '1',
      'a j': null,
      'a k': 'a$X',
      'a l': null,
      'a m': '$X',
    },
    env: { HERE: 'env', BLANK: '', SIGN: '$X' },
  },
  {
    what: 'as SUSE has it',
    files: {
      '/etc/nfs.conf':
        '[environment]\ninclude = /etc/sysconfig/nfs\ninclude = -/etc/nfs.conf.local\n[nfsd]\nvers3=$NFS3_SERVER_SUPPORT\nthreads=$USE_KERNEL_NFSD_NUMBER\n[statd]\nport=$STATD_PORT\n',
      '/etc/sysconfig/nfs':
        '## Type: yesno\nNFS3_SERVER_SUPPORT="no"\nSTATD_PORT=""\nUSE_KERNEL_NFSD_NUMBER="4"\n',
    },
    values: { 'nfsd vers3': 'no', 'nfsd threads': '4', 'statd port': null },
  },
  {
    what: 'include: its section, sections of its own, what follows it, by a relative path, by one that includes',
    files: {
      [main]: '[a]\nb=1\ninclude=sub/x\ne=1\nINCLUDE = "-sub/none"\ninclude=sub\n[c]\ninclude=/etc/sub/x\n',
      '/etc/sub/x': 'b=2\ninclude=y\n[d]\ne=2\n',
      '/etc/sub/y': 'f=1\n[a]\ng=1\n',
    },
    values: {
      'a b': '2',
      'a e': '1',
      'a f': '1',
      'a g': '1',
      'd e': '2',
      'c b': '2',
      'c f': '1',
      'a include': null,
    },
  },
  {
    what: 'fragments by version, and what is none',
    files: {
      [main]: '[a]\nb=main\nc=main\nd=main\n',
      '/etc/nfs.conf.d/10-x.conf': '[a]\nb=10\ninclude=y\n',
      '/etc/nfs.conf.d/9-x.conf': '[a]\nb=9\n',
      '/etc/nfs.conf.d/010-x.conf': '[a]\nb=010\nc=010\n',
      '/etc/nfs.conf.d/09-x.conf': '[a]\nc=09\n',
      '/etc/nfs.conf.d/.z.conf': '[a]\nb=hidden\n',
      '/etc/nfs.conf.d/.conf': '[a]\nb=hidden\n',
      '/etc/nfs.conf.d/z.config': '[a]\nb=z\n',
      '/etc/nfs.conf.d/z.conf/x.conf': '[a]\nb=below\n',
      '/etc/nfs.conf.d/y': 'd=y\n',
    },
    values: { 'a b': '10', 'a c': '09', 'a d': 'y' },
  },
  {
    what: "the distribution's own, without the administrator's",
    files: {
      '/usr/etc/nfs.conf': '[a]\nb=1\nc=1\nd=1\n',
      '/usr/etc/nfs.conf.d/x.conf': '[a]\nc=2\n',
      '/etc/nfs.conf.d/x.conf': '[a]\nd=3\n',
    },
    values: { 'a b': '1', 'a c': '2', 'a d': '3' },
    since: [2, 7, 1],
  },
  {
    what: "the distribution's own, and the administrator's",
    files: {
      '/usr/etc/nfs.conf': '[a]\nb=1\n',
      '/usr/etc/nfs.conf.d/x.conf': '[a]\nc=2\n',
      [main]: '[a]\nd=4\n',
    },
    values: { 'a b': null, 'a c': null, 'a d': '4' },
  },
];

export const filesOf = ({ files }: ConfCase): readonly (readonly [path: string, text: string])[] =>
  Object.entries(typeof files === 'string' ? { [main]: files } : files);
