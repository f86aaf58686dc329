import { expect, test } from 'vitest';
import { follow, life, listed, type Story, single } from '../../../fake/exportfs-story.ts';
import { type ExportingMachine, etabLine } from '../../../fake/exports.ts';
import { hangs } from '../../../fake/machine.ts';

// Which line of etab is this resource's: spellings of directories and clients.

const alias = (m: ExportingMachine) => void m.hostNames.set('short', 'full.example.com');
const cache = '/proc/net/rpc/nfsd.export/content';

/** A life for each spelling, which etab keeps as it is. */
const clientspecs = (tag: string, ...all: readonly string[]): readonly Story[] =>
  all.map((clientspec) => ({
    what: `${tag}: client ${clientspec}`,
    with: { ...single, clientspec },
    calls: life,
    etab: [],
  }));
const inBrackets = (story: Story): Story => {
  const clientspec = story.with?.['clientspec']?.replace(/^[^/]+/, '[$&]') ?? '';
  return { ...story, what: `${story.what}, in brackets`, with: { ...single, clientspec } };
};

const stories: readonly Story[] = [
  {
    what: 'exportfs#30, X12, X13: a link, and a slash behind it',
    with: { directory: '/tmp/link/' },
    given: (m) => m.links.set('/tmp/link', '/srv/a') && m.directories.add('/tmp/link'),
    calls: life,
  },
  ...[14, 15, 44].map(
    (length): Story => ({
      what: `exportfs#32: a path of ${length} characters`,
      with: { directory: `/${'a'.repeat(length - 1)}` },
      given: (m) => m.directories.add(`/${'a'.repeat(length - 1)}`),
      calls: life,
    }),
  ),
  ...clientspecs('exportfs#33, X11', 'fe80::1', '2001:db8::/64').map(inBrackets),
  {
    what: 'exportfs#34, X11: IPv6 without brackets',
    with: { ...single, clientspec: '2001:db8::5' },
    calls: life,
  },
  {
    what: 'exportfs#35, X11: IPv6 in another spelling',
    with: { ...single, clientspec: '[2001:DB8:0:0::5]' },
    given: listed(['/usr', '2001:DB8:0:0::5']),
    calls: 'rec 0, stop 0',
    etab: [],
  },
  {
    what: 'exportfs#36, X11: a pattern in brackets',
    with: { ...single, clientspec: '[ab]-host.example.com' },
    calls: life,
  },
  ...clientspecs('exportfs#37', '@grp', 'gss/krb5', '*.example.com'),
  {
    what: 'exportfs#38, E7: an alias',
    with: { ...single, clientspec: 'short' },
    given: alias,
    calls: life,
    etab: [],
  },
  {
    what: 'exportfs#39, E7: upper case',
    with: { ...single, clientspec: 'FULL.example.com' },
    given: listed(['/usr', 'full.example.com']),
    calls: 'rec 0, stop 0',
    etab: [],
  },
  {
    what: 'exportfs#40, E8: a name that DNS no longer knows',
    with: { ...single, clientspec: 'full.example.com' },
    given: (m) => {
      m.etab = etabLine('/usr', 'full.example.com');
      m.on('exportfs', (_args, command) => hangs(command, m));
    },
    calls: 'rec 0, stop 0',
    etab: [],
    after: (m) => expect(m.ran.filter((line) => line.startsWith('getent'))).toEqual([]),
  },
  ...clientspecs('exportfs#41', '10.0.0.5/24', '10.0.0.0/255.255.255.0'),
  {
    what: 'exportfs#42: two clients',
    with: { ...single, clientspec: '10.0.0.0/24 10.0.1.0/24' },
    calls: 'start 6, stop 0',
    reason: /a resource for each/,
  },
  {
    what: 'exportfs#43, X9: a longer path',
    with: { directory: '/var' },
    given: listed(['/srv/var']),
    calls: 'rec 7',
  },
  {
    what: 'exportfs#44, X15: another client',
    with: single,
    given: listed(['/usr', '10.0.0.0/8']),
    calls: 'rec 7',
  },
  {
    what: 'exportfs#45, E4, X15: the same directory for two networks',
    with: { ...single, clientspec: '10.0.0.0/24' },
    given: (m) => {
      m.etab = etabLine('/usr', '10.0.0.0/24') + etabLine('/usr', '10.0.1.0/24');
      m.files.set(cache, '/usr\t10.0.1.0/24(rw,fsid=105)\n');
    },
    calls: 'stop 0',
    etab: ['/usr 10.0.1.0/24'],
    after: (m) => expect(m.clock).toBeLessThan(5000),
  },
  {
    what: 'exportfs#53, X21: a blank in the directory',
    with: { directory: '/tmp/e x' },
    given: (m) => m.directories.add('/tmp/e x'),
    calls: 'start 0, rec 0',
    etab: ['/tmp/e\\040x *'],
  },
  ...['/srv/a(b', '/srv/a[b', '/srv/a.b', '/srv/a*', '/srv/$(a)'].map(
    (directory): Story => ({
      what: `X7, X9: the directory ${directory} is no pattern`,
      with: { directory, fsid: '105' },
      given: (m) => m.directories.add(directory),
      calls: life,
      quiet: 0,
    }),
  ),
  {
    what: 'X9: neighbours whose names begin or end the same',
    with: { directory: '/usr' },
    given: listed(['/usr/bin'], ['/usr2'], ['/srv/usr']),
    calls: 'rec 7, stop 0',
    etab: ['/usr/bin *', '/usr2 *', '/srv/usr *'],
  },
  {
    what: 'X10: the world is a star in etab',
    with: { directory: '/usr', clientspec: '*' },
    calls: 'start 0, rec 0',
    etab: ['/usr *'],
  },
  {
    what: 'X12: slashes behind the directory',
    with: { directory: '/usr//' },
    given: listed(['/usr']),
    calls: 'rec 0, stop 0, rec 7',
    etab: [],
  },
];

test.each(stories.map((story) => [story.what, story] as const))('%s', (_what, story) => follow(story));
