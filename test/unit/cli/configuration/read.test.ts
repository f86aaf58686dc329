import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { pairOf } from '../../../../cli/configuration/pair.ts';
import { readConfiguration, readPair } from '../../../../cli/configuration/read.ts';
import { configurationSchema } from '../../../../cli/configuration/shape.ts';
import { suggestion } from '../../../../cli/configuration/suggestion.ts';
import { configurationWords } from '../../../../cli/configuration/words.ts';
import { CommandError } from '../../../../cli/exit.ts';
import { pairWithState, pairYaml } from './pair.yaml.ts';

const read = (text: string, language: 'en' | 'zh' = 'en') => readConfiguration('tsha.yaml', text, language);

/** What a wrong text is told; fails where it is not refused with exit status 3. */
function refusal(text: string, language: 'en' | 'zh' = 'en'): string {
  try {
    read(text, language);
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    expect((error as CommandError).ending).toBe('unknown');
    return (error as CommandError).message;
  }
  throw new Error('this was taken');
}

/** A text of the base file, what stands there instead, and the error: `line:column: sentence`. */
type Row = readonly [what: string | RegExp, instead: string, error: string];

const wrong: readonly Row[] = [
  // YAML
  ['name: nfs', 'name: [nfs', '3:1: this is no YAML: '],
  ['name: nfs', 'name: nfs\nname: nas', '3:1: "name" is there twice'],
  ['  alpha:', '\talpha:', '4:1: a tab stands where YAML wants blanks'],
  ['clients: ["*"]', 'clients: [*]', '17:42: "*" must stand between quotes'],
  ['name: nfs', 'name: !name nfs', '2:7: the tag !name means nothing here'],
  ['accept:', '---\naccept:', '21:1: this file holds several documents'],
  ['name: nfs', 'name: "nfs', ': this is no YAML: '],
  // settings that are not there, or have another name
  ['version: 1\n', '', '1:1: "version" is missing'],
  ['version: 1', 'version: 2', '1:10: version must be 1'],
  ['version: 1', 'version: "1"', '1:10: version must be 1'],
  [
    'directory: /srv/nfs }',
    'drectory: /srv/nfs }',
    '7:26: there is no setting "drectory" here, did you mean "directory"?',
  ],
  ['directory: /srv/nfs }', 'drectory: /srv/nfs }', '7:1: "directory" is missing'],
  ['exports:', 'export:', '15:1: there is no setting "export" here, did you mean "exports"?'],
  ['threads: 16', 'treads: 16', '13:3: there is no setting "treads" here, did you mean "threads"?'],
  ['mountd: 20048', 'mount: 20048', '14:12: there is no setting "mount" here, did you mean "mountd"?'],
  ['fsid: 2', 'id: 2', '17:5: "fsid" is missing'],
  [', fsid: 2', ', fsid: 2, wibble: 3', 'there is no setting "wibble" here\n'],
  ['drbd: {', 'password: x\ndrbd: {', '6:1: there is no setting "password" here\n'],
  [/^drbd: .*$/m, 'drbd:', '6:1: "drbd" has no value'],
  [/^drbd: .*$/m, 'drbd: data', '6:7: this wants settings with names, and is text'],
  [/^drbd: .*$/m, 'drbd: [data]', '6:1: this wants settings with names, and is a list'],
  ['clients: ["*"]', 'clients: "*"', '17:41: this wants a list, and is text'],
  ['clients: ["*"]', 'clients: []', '17:32: there must be at least one'],
  // values
  ['name: nfs', 'name: NFS', '2:7: "NFS" can be no name: '],
  ['name: nfs', 'name: nfs\nprovider: heartbeat', '3:11: "heartbeat" is none of tsha, stock'],
  ['name: nfs', 'name: nfs\nprovider: stok', '3:11: "stok" is none of tsha, stock, did you mean "stock"?'],
  ['  alpha:', '  al_pha:', '4:3: "al_pha" can be no name of a node'],
  ['replication: 10.0.1.1 }', 'replication: 10.0.1 }', '4:25: "10.0.1" is no IP address'],
  ['replication: 10.0.1.1 }', 'replication: 10.0.1.1/24 }', '4:25: "10.0.1.1/24" is no IP address'],
  ['replication: 10.0.1.1 }', 'replication: 10.0.1.256 }', '4:25: "10.0.1.256" is no IP address'],
  ['replication: 10.0.1.1 }', 'replication: }', '4:12: "replication" has no value'],
  ['/dev/drbd1', '/dev/sdb', '6:33: "/dev/sdb" is no DRBD device'],
  ['/dev/drbd1', '1', '6:33: this wants text, and is a number'],
  ['disk: /dev/vg0/nfs', 'disk: vg0/nfs', '6:51: "vg0/nfs" is no absolute path'],
  ['disk: /dev/vg0/nfs', 'disk: /dev/../etc', '6:51: "/dev/../etc" is no absolute path'],
  ['port: 7789', 'port: 0', '6:71: 0 is too small: at least 1'],
  ['port: 7789', 'port: 77890', '6:71: 77890 is too big: at most 65535'],
  ['port: 7789', 'port: drbd', '6:71: this wants a number, and is text'],
  ['port: 7789', 'port: 7789.5', '6:71: this wants a whole number, and is a number'],
  ['type: xfs', 'type: xsf', '7:21: "xsf" is none of xfs, ext4, ext3, btrfs, did you mean "xfs"?'],
  ['type: xfs', 'type: gfs2', '7:21: "gfs2" is none of xfs'],
  ['directory: /srv/nfs }', 'directory: /srv/nfs/ }', '7:37: "/srv/nfs/" is no absolute path'],
  ['directory: /srv/nfs }', 'directory: "/srv/n fs" }', '7:37: "/srv/n fs" is no absolute path'],
  ['ip: 10.0.0.9/24', 'ip: 10.0.0.9', '8:16: "10.0.0.9" has no prefix length'],
  ['ip: 10.0.0.9/24', 'ip: 10.0.0.9/33', '8:16: the prefix length of "10.0.0.9/33" must be'],
  ['ip: 10.0.0.9/24', 'ip: 10.0.0.9/255.255.255.0', '8:16: the prefix length of'],
  ['ip: 10.0.0.9/24', 'ip: nfs.example.org', '8:16: "nfs.example.org" is no IP address'],
  ['ip: 10.0.0.9/24', 'ip: "2001:db8::8/64"', '8:16: "2001:db8::8/64" is no IPv4 address: ip6 takes IPv6'],
  ['"2001:db8::9/64"', '10.0.0.8/24', '8:34: "10.0.0.8/24" is no IPv6 address: ip takes IPv4'],
  ['interface: eth0', 'interface: a/b', '8:63: "a/b" can be no network interface'],
  ['versions: [4, 3]', 'versions: [4, 2]', '10:17: tsha serves the NFS versions 3 and 4'],
  ['versions: [4, 3]', 'versions: [4.2]', '10:14: tsha serves the NFS versions 3 and 4'],
  ['lease: 15s', 'lease: 15', '11:10: this wants text, and is a number'],
  ['lease: 15s', 'lease: 15 s', '11:10: "15 s" is no duration: write it with its unit'],
  ['lease: 15s', 'lease: soon', '11:10: "soon" is no duration'],
  ['fsid: 2', 'fsid: two', '17:67: an fsid is a number, a UUID or root'],
  ['fsid: 2', 'fsid: -2', '17:67: -2 is too small: at least 0'],
  ['options: ro', 'options: "ro, sync"', '17:57: "ro, sync" must not be empty or hold a blank'],
  [
    'agent: fence_ipmilan, options: { ip: 10.0.2.1',
    'agent: ipmilan, options: { ip: 10.0.2.1',
    '19:19: "ipmilan" is no fence agent',
  ],
  ['GRACE_DEFAULT', 'GRACE_DEFALT', '22:13: "GRACE_DEFALT" is none of …, did you mean "GRACE_DEFAULT"?'],
  ['until: 2027-01-31', 'until: 2027-02-30', '"2027-02-30" is no date'],
  ['until: 2027-01-31', 'until: next year', '"next year" is no date'],
  ['why: old clients', 'why: " "', '22:33: this must not be empty'],
  [', until: 2027-01-31', '', '"until" is missing'],
  // what settings say together
  ['  beta: { replication: 10.0.1.2, disk: /dev/vg1/nfs }\n', '', '3:1: a pair has two nodes, and here 1'],
  ['  beta:', '  gamma: { replication: 10.0.1.3 }\n  beta:', '3:1: a pair has two nodes, and here 3'],
  ['replication: 10.0.1.2', 'replication: 10.0.1.1', '5:24: both nodes replicate over 10.0.1.1'],
  [
    'replication: 10.0.1.2',
    'replication: "2001:db8:1::2"',
    '5:24: one node replicates over IPv4 and the other over IPv6',
  ],
  ['replication: 10.0.1.2', 'replication: 127.0.0.1', '5:24: 127.0.0.1 can be no address of a node'],
  ['replication: 10.0.1.2', 'replication: 10.0.0.9', '5:24: 10.0.0.9 is the address that clients mount from'],
  [
    'replication: 10.0.1.2',
    'replication: "2001:DB8:0::9"',
    '5:24: 2001:DB8:0::9 is the address that clients mount from',
  ],
  [' disk: /dev/vg0/nfs,', '', '4:3: no disk for alpha: drbd.disk names it for both nodes'],
  ['disk: /dev/vg0/nfs', 'disk: /dev/drbd1', '6:51: the disk below DRBD is the DRBD device itself'],
  ['disk: /dev/vg1/nfs', 'disk: /dev/drbd1', '5:40: the disk below DRBD is the DRBD device itself'],
  [/^address: .*$/m, 'address: { interface: eth0 }', '8:1: an address that clients mount from is missing'],
  ['ip: 10.0.0.9/24', 'ip: 10.0.0.0/24', '8:16: 10.0.0.0/24 is the network itself'],
  ['ip: 10.0.0.9/24', 'ip: 10.0.0.255/24', '8:16: 10.0.0.255/24 is the broadcast address'],
  ['ip: 10.0.0.9/24', 'ip: 224.0.0.9/24', '8:16: 224.0.0.9 can be no address of a service'],
  ['"2001:db8::9/64"', '"fe80::9/64"', '8:34: fe80::9 can be no address of a service'],
  ['port: 7789', 'port: 2049', '6:71: port 2049 is taken: nfsd'],
  ['statd: 662', 'statd: 20048', '14:34: port 20048 is taken: nfs.ports.mountd'],
  ['lockd: 32803', 'lockd: 7789', '14:46: port 7789 is taken: drbd.port'],
  ['versions: [4, 3]', 'versions: [4]', '14:3: only NFSv3 needs fixed ports'],
  ['versions: [4, 3]', 'versions: [3]', '10:3: version 4 must be among them'],
  ['versions: [4, 3]', 'versions: [4, 3, 3]', '10:20: version 3 is there twice'],
  ['directory: /srv/nfs }', 'directory: /etc/nfs }', '7:37: /etc/nfs belongs to the system'],
  ['directory: /srv/nfs }', 'directory: /srv }', '7:37: /srv belongs to the system'],
  ['directory: /srv/nfs/home', 'directory: /srv/home', '16:18: /srv/home lies outside /srv/nfs'],
  ['directory: /srv/nfs/home', 'directory: /srv/nfs2', '16:18: /srv/nfs2 lies outside /srv/nfs'],
  [
    'directory: /srv/nfs/home',
    'directory: /srv/nfs',
    "16:18: /srv/nfs/.nfs-state, the server's state, lies within the export /srv/nfs",
  ],
  [
    'threads: 16',
    'state: /srv/nfs/home/state',
    "16:18: /srv/nfs/home/state, the server's state, lies within",
  ],
  ['threads: 16', 'state: /srv/nfs', "16:18: /srv/nfs/home lies within /srv/nfs, the server's state"],
  ['threads: 16', 'state: /var/lib/nfs', '13:10: /var/lib/nfs lies outside /srv/nfs'],
  ['directory: /srv/nfs/pub', 'directory: /srv/nfs/home', '17:18: /srv/nfs/home is exported twice'],
  ['fsid: 2', 'fsid: 1', '17:67: fsid 1 is that of /srv/nfs/home, too'],
  ['["*"]', '["*", "*"]', '17:47: * is there twice'],
  ['clients: [10.0.0.0/24, ', 'clients: ["2001:DB8:0::/64", ', '16:62: 2001:db8::/64 is there twice'],
  [
    'clients: [10.0.0.0/24,',
    'clients: [10.0.0.5/24,',
    '16:43: 10.0.0.5/24 is no network: that is 10.0.0.0/24',
  ],
  ['clients: [10.0.0.0/24,', 'clients: [10.0.0.0/33,', '16:43: "10.0.0.0/33" is no client'],
  ['clients: [10.0.0.0/24,', 'clients: ["a(rw)",', '16:43: "a(rw)" is no client'],
  ['options: ro', 'options: "ro,fsid=2"', '17:57: fsid has a setting of its own'],
  [
    'options: ro',
    'options: no_root_sqash',
    '17:57: exports(5) has no option "no_root_sqash", did you mean "no_root_squash"?',
  ],
  ['options: "rw,sync"', 'options: "rw,sync,ro"', '"ro" and "rw" exclude each other'],
  [', fsid: 2', ', fsid: 2, ids: [a, b]', 'there are 1 clients and 2 ids'],
  [', fsid: 2', ', fsid: 2, ids: [nfs-fs]', '17:5: two resources would have the id nfs-fs'],
  ['name: nfs', 'name: nfs\nids: { drbd: nfs }', '3:1: two resources would have the id nfs'],
  ['lease: 15s', 'lease: 5s', '11:10: 5s is out of range: 10s to 240s'],
  ['grace: 20s', 'grace: 5min', '12:10: 5min is out of range: 10s to 240s'],
  ['grace: 20s', 'grace: 12s', '12:10: the grace period (12s) is shorter than the lease (15s)'],
  ['  lease: 15s\n', '', '11:10: the grace period (20s) is shorter than the lease (90s)'],
  [
    '  alpha: { agent',
    '  alfa: { agent',
    '19:3: there is no node "alfa" in this file, did you mean "alpha"?',
  ],
  [/^ {2}beta: \{ agent.*\n/m, '', '18:1: nothing switches beta off'],
  [
    'ip: 10.0.2.1, username: admin',
    'ip: 10.0.2.1, password: x',
    '"password" would put a secret into this file',
  ],
  [
    'ip: 10.0.2.1, username: admin',
    'ip: 10.0.2.1, hexadecimal_kg: x',
    '"hexadecimal_kg" would put a secret into this file',
  ],
  [/^accept:\n(.*\n)/m, 'accept:\n$1$1', '23:13: GRACE_DEFAULT is accepted twice'],
];

describe('a wrong file is refused with its place', () => {
  test('these are sixty and more', () => expect(wrong.length).toBeGreaterThanOrEqual(60));
  test.each(wrong)('%s → %j: %s', (what, instead, error) => {
    const text = pairYaml.replace(what, instead);
    expect(text).not.toBe(pairYaml);
    const said = refusal(text);
    expect(said).toContain(error);
    expect(said).toContain('nothing has been changed');
    expect(refusal(text, 'zh')).toMatch(/[\u4e00-\u9fff]/);
    expect(said).not.toMatch(/undefined|\{\w+\}|\[object/);
  });
});

test('the line and a caret below what is meant, by the columns that a terminal shows', () => {
  expect(refusal(pairYaml.replace('name: nfs', 'name: nfs # 服务').replace('type: xfs', 'type: xsf'))).toBe(
    [
      'tsha.yaml:7:21: "xsf" is none of xfs, ext4, ext3, btrfs, did you mean "xfs"?',
      '    7 | filesystem: { type: xsf, directory: /srv/nfs }',
      '      |                     ^^^',
      'nothing has been changed',
    ].join('\n'),
  );
  expect(refusal('version: 1\n名: 二\n')).toContain('    2 | 名: 二\n      | ^^\n');
});

test('every error is told at once, in the order of the file', () => {
  const said = refusal(pairYaml.replace('type: xfs', 'type: xsf').replace('name: nfs', 'name: N'));
  expect(said.match(/^tsha.yaml:\d+/gm)).toEqual(['tsha.yaml:2', 'tsha.yaml:7']);
  expect(said).toContain('2 errors; nothing has been changed');
});

test('what a name holds cannot steer the terminal', () => {
  expect(refusal(pairYaml.replace('name: nfs', 'name: "a\\e[2Jb"'))).not.toContain('\u001b');
});

test.each([
  ['fsid', '0', '0'],
  ['fsid', 'root', '0'],
  ['fsid', '4d1f0a63-1c1c-4c1c-8c1c-0123456789ab', '4d1f0a63-1c1c-4c1c-8c1c-0123456789ab'],
])('%s %s is taken', (_, fsid, is) => {
  expect(pairOf(read(pairYaml.replace('fsid: 2', `fsid: ${fsid}`))).exports[2]?.fsid).toBe(is);
});

test('an accepted finding is no error until its day', () => {
  const exported = pairYaml.replace('directory: /srv/nfs/home', 'directory: /srv/nfs');
  const accept = (until: string) =>
    `${exported}  - { code: INFODIR_EXPORTED, why: as it was, until: ${until} }\n`;
  expect(read(accept('2999-01-01')).accept).toHaveLength(2);
  expect(refusal(accept('2020-01-01'))).toContain("the server's state, lies within");
});

test('the pair: one export per client, ids that stay when others come', () => {
  const pair = pairOf(read(pairYaml));
  expect(pair.exports.map(({ id }) => id)).toEqual([
    'nfs-export-home-10.0.0.0-24',
    'nfs-export-home-2001-db8-64',
    'nfs-export-pub-all',
  ]);
  const inChinese = pairOf(
    read(pairYaml.replaceAll('/srv/nfs/home', '/srv/nfs/数据').replaceAll('/srv/nfs/pub', '/srv/nfs/文档')),
  );
  expect(new Set(inChinese.exports.map(({ id }) => id)).size).toBe(3);
  expect(inChinese.exports[2]?.id).toMatch(/^nfs-export-fsid\d+-all$/);
  expect(pair.filesystem.disks).toEqual({ alpha: '/dev/vg0/nfs', beta: '/dev/vg1/nfs' });
  expect(pair.nfs).toMatchObject({ state: '/srv/nfs/.nfs-state', leaseSeconds: 15, graceSeconds: 20 });
});

const state = (settings: string): readonly [what: string, instead: string] => [
  'address:',
  `state: { ${settings} }\naddress:`,
];
const wholeState = 'device: /dev/drbd2, disk: /dev/vg0/state, directory: /srv/nfs-state';

describe('a filesystem of its own for the state', () => {
  test('is the second volume, and where the state lies', () => {
    const pair = pairOf(read(pairWithState));
    expect(pair.state).toEqual({
      id: 'nfs-state',
      device: '/dev/drbd2',
      disks: { alpha: '/dev/vg0/state', beta: '/dev/vg1/state' },
      type: 'ext4',
      directory: '/srv/nfs-state',
      options: null,
    });
    expect(pair.nfs.state).toBe('/srv/nfs-state');
  });

  test.each<Row>([
    [...state(wholeState.replace('disk: /dev/vg0/state, ', '')), '4:3: no disk for the state on alpha'],
    [...state(wholeState.replace('vg0/state', 'vg0/nfs')), '8:36: /dev/vg0/nfs is the disk of the data, too'],
    [
      ...state(wholeState.replace('vg0/state', 'drbd1')),
      '8:36: the disk below DRBD is the DRBD device itself\n',
    ],
    [...state(wholeState.replace('drbd2', 'drbd1')), '8:18: /dev/drbd1 is the device of the data, too'],
    [...state(wholeState.replace('/srv/nfs-state', '/srv/nfs/state')), '/srv/nfs/state and /srv/nfs lie one'],
    [...state(wholeState.replace('/srv/nfs-state', '/run/state')), '/run/state belongs to the system'],
    ['disk: /dev/vg1/nfs', 'disk: /dev/vg1/nfs, stateDisk: /dev/vg1/s', '5:54: there is no section "state"'],
    ['exports:', 'ids: { state: nfs-fs }\nexports:', ': two resources would have the id nfs-fs'],
  ])('%s → %s', (what, instead, error) => {
    const base = instead.includes('ids:') ? pairWithState : pairYaml;
    expect(refusal(base.replace(what, instead))).toContain(error);
  });

  test('a state elsewhere than in it', () => {
    const text = pairWithState.replace('threads: 16', 'state: /srv/nfs/.nfs-state');
    expect(refusal(text)).toContain('/srv/nfs/.nfs-state lies outside /srv/nfs-state');
  });
});

test('the smallest file', () => {
  const text = [
    'version: 1',
    'nodes: { a: { replication: 10.0.1.1 }, b: { replication: 10.0.1.2 } }',
    'drbd: { resource: data, device: /dev/drbd1, disk: /dev/sdb }',
    'filesystem: { directory: /srv/nfs }',
    'address: { ip: 10.0.0.9/24 }',
    'exports: [{ directory: /srv/nfs/home, clients: ["*"], fsid: 1 }]',
  ].join('\n');
  expect(pairOf(read(text))).toMatchObject({
    name: 'nfs',
    provider: 'tsha',
    nfs: { with3: false, leaseSeconds: null },
    exports: [{ options: 'rw,sync' }],
    ids: { clone: 'nfs-drbd-clone', group: 'nfs' },
  });
});

describe('files', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tsha-yaml-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const at = (name: string) => join(dir, name);

  test.each<readonly [what: string, name: string, make: (path: string) => void, said: RegExp]>([
    ['none', 'none', () => {}, /there is no .*none: tsha init writes it/],
    ['a folder', '.', () => {}, /is no file|cannot read/],
    ['a pipe that nobody writes to', 'pipe', (path) => execFileSync('mkfifo', [path]), /is no file/],
    ['a circle of links', 'link', (path) => symlinkSync(path, path), /cannot read .*: ELOOP/],
    ['nothing', 'empty', (path) => writeFileSync(path, ''), /holds nothing/],
    ['comments only', 'comments', (path) => writeFileSync(path, '# nothing yet\n'), /holds nothing/],
    [
      'no UTF-8',
      'latin',
      (path) => writeFileSync(path, Buffer.from([0x6e, 0xe9, 0x0a])),
      /not written in UTF-8/,
    ],
    ['2 MiB', 'big', (path) => writeFileSync(path, 'x'.repeat(2 << 20)), /more than 1 MiB/],
    [
      'a list',
      'list',
      (path) => writeFileSync(path, '- a\n'),
      /list:1:1: this wants settings with names, and is a list/,
    ],
  ])('%s', (_, name, make, said) => {
    make(at(name));
    expect(() => readPair(at(name), 'en')).toThrow(said);
  });

  test('one that is well', () => {
    writeFileSync(at('good'), pairYaml);
    expect(readPair(at('good'), 'en').name).toBe('nfs');
  });
});

test('both languages say the same with the same facts', () => {
  const [english, chinese] = [configurationWords('en'), configurationWords('zh')];
  const holes = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  for (const name of Object.keys(english) as (keyof typeof english)[])
    expect(holes(chinese[name]), name).toEqual(holes(english[name]));
});

test.each([
  ['drectory', 'directory'],
  ['dierctory', 'directory'],
  ['wibble', undefined],
  ['', undefined],
  ['a'.repeat(100_000), undefined],
])('suggestion for %s', (word, meant) => {
  expect(suggestion(word, ['directory', 'options', 'fsid'])).toBe(meant);
});

test('the schema for editors is the one that files are read by', async () => {
  await expect(`${JSON.stringify(configurationSchema(), null, 2)}\n`).toMatchFileSnapshot(
    '../../../../docs/tsha.yaml.schema.json',
  );
});
