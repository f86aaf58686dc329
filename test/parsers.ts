import { parseScores } from '../agents/drbd/score.ts';
import { directoriesIn, fsidIn, splitOptions } from '../agents/exportfs/wanted.ts';
import { subvolumeOf } from '../agents/Filesystem/btrfs.ts';
import { asideOf, readForce, readSignals } from '../agents/Filesystem/force.ts';
import { layersOf, sourceName } from '../agents/Filesystem/names.ts';
import { takenAlong } from '../agents/Filesystem/propagation.ts';
import { isInFstab } from '../agents/Filesystem/systemd.ts';
import { hasOption, optionValue, sourceOf } from '../agents/Filesystem/wanted.ts';
import { readArgs } from '../agents/nfsnotify/wanted.ts';
import { dropInText } from '../agents/nfsserver/drop-in.ts';
import { readNfsdArgs } from '../agents/nfsserver/nfsd-args.ts';
import { withVariables } from '../agents/nfsserver/sysconfig.ts';
import { pairFrom } from '../cli/configuration/read.ts';
import { readCib, readTime } from '../cli/facts/cib.ts';
import { parseXml } from '../cli/facts/xml.ts';
import { eventsInLog } from '../cli/history/alert-log.ts';
import { readSince } from '../cli/history/since.ts';
import { oneLine, reasonLine } from '../lib/contract/reason.ts';
import { complaint, openersIn } from '../lib/host/drbd/admin.ts';
import { configurationIn } from '../lib/host/drbd/configuration.ts';
import { parseProcDrbd, parseShStatus } from '../lib/host/drbd/drbd84.ts';
import { parseEvents2 } from '../lib/host/drbd/events2.ts';
import { changedAlone, lastPrimaryTime, splitBrainIn } from '../lib/host/drbd/split-brain.ts';
import type { Resource } from '../lib/host/drbd/state.ts';
import { parseStatusJson } from '../lib/host/drbd/status-json.ts';
import { parseToolVersion, procVersion } from '../lib/host/drbd/version.ts';
import { textOfFileName } from '../lib/host/memory-of-others.ts';
import { addressFamily, canonicalIp } from '../lib/host/net/address-text.ts';
import { parseAddresses, parseIfInet6, parseLocalTable } from '../lib/host/net/addresses.ts';
import { parseListeners } from '../lib/host/net/listeners.ts';
import { parseRules } from '../lib/host/net/nftables.ts';
import { parseRoutes } from '../lib/host/net/routes.ts';
import { parseTcp } from '../lib/host/net/tcp.ts';
import { exportArgument, isHostName, sameClient } from '../lib/host/nfs/client-spec.ts';
import { holdsState } from '../lib/host/nfs/clients.ts';
import { assignmentsIn } from '../lib/host/nfs/conf.ts';
import { parseEtab, parseKernelExports, withoutExports } from '../lib/host/nfs/exports.ts';
import { parseExports } from '../lib/host/nfs/exports-file.ts';
import { parseThreads } from '../lib/host/nfs/nfsd.ts';
import { clientIn } from '../lib/host/nfs/nsm-jobs.ts';
import { formatRmtab, parseRmtab, rmtabBelow, rmtabMissing } from '../lib/host/nfs/rmtab.ts';
import {
  decodeOctal,
  mountHolding,
  mountsBelow,
  mountsOn,
  parseMountinfo,
  tidyPath,
} from '../lib/host/storage/mounts.ts';
import { bytesOf, textOf } from '../lib/host/sys/bytes.ts';
import { parseEnviron } from '../lib/host/sys/environment.ts';
import { fileNameOf } from '../lib/host/sys/file-names.ts';
import { parseStat } from '../lib/host/sys/process-stat.ts';
import { parseUnits } from '../lib/host/systemd.ts';
import { readElements } from '../lib/host/xml-reader.ts';
import { FakeMachine } from './fake/machine.ts';
import { pairYaml } from './unit/cli/configuration/pair.yaml.ts';

// Everything that reads what the kernel, a tool, a file or a parameter says, with a line as it usually is. Who can write it, and how
// much of it, is a matter of each; that it takes time in proportion to it is not.

export type Parser = {
  readonly what: string;
  /** Ordinary, the n-th of many. Without: one text that is no list. */
  readonly line?: (n: number) => string;
  readonly sample?: string;
  /** Only whoever calls the command writes it: he may wait for it. */
  readonly isOwn?: true;
  /** Around many lines. */
  readonly around?: readonly [string, string];
  readonly work: (text: string) => unknown;
};

const peerless: Resource = {
  name: 'data',
  role: 'Secondary',
  suspended: [],
  forceIoFailures: false,
  devices: [],
  connections: [],
};

const mount = (n: number, parent: number, target = `/srv/m${n}`) =>
  `${n} ${parent} 8:${n} / ${target} rw,noatime shared:${n} master:${n} - ext4 /dev/a\\040b rw,errors=continue`;
const [someMount] = parseMountinfo(mount(1, 0));
if (someMount === undefined) throw new Error('a line of mountinfo is no mount');
const rmtab = (n: number) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:/srv/nfs/d${n}:0x00000001`;
const etab = (n: number) => `/srv/nfs/d${n}\t10.0.0.0/24(rw,sync,fsid=${n},sec=sys,rw,root_squash)`;
const event = (n: number) =>
  `exists peer-device name:data peer-node-id:${n} conn-name:node${n} volume:${n} replication:Established peer-disk:UpToDate`;

export const parsers: readonly Parser[] = [
  { what: 'rmtab', line: rmtab, work: parseRmtab },
  {
    what: 'rmtab, what is below a directory',
    line: rmtab,
    work: (text) => formatRmtab(rmtabBelow(parseRmtab(text), '/srv/nfs')),
  },
  {
    what: 'rmtab and its backup',
    line: rmtab,
    work: (text) => rmtabMissing(parseRmtab(text.slice(0, text.length / 2)), parseRmtab(text)),
  },
  { what: 'etab', line: etab, work: parseEtab },
  {
    what: '/etc/exports',
    line: (n) => `"/srv/my files ${n}" -sync 10.0.0.0/24(rw,fsid=${n}) \\\n other(ro) # ${n}`,
    work: parseExports,
  },
  {
    what: 'etab without some',
    line: etab,
    work: (text) => withoutExports(text, ({ path }) => path.endsWith('7')),
  },
  { what: "the kernel's exports", line: (n) => `# ${etab(n)}`, work: parseKernelExports },
  {
    what: "the states of nfsd's clients",
    line: (n) => `- 0x${n}: { type: open, superblock: "07:00:${n}", filename: "/a" }`,
    work: (text) => holdsState(text, '8:1'),
  },
  {
    what: 'nfs.conf',
    line: (n) => `[nfsd "n"]\n threads${n} = "16" # so many`,
    work: (text) => [...assignmentsIn(text)],
  },
  {
    what: "a record of statd's",
    sample: '0100007f 000186b5 00000003 00000010 a5a5 192.0.2.7 nfs',
    work: clientIn,
  },
  {
    what: 'a client of an export',
    sample: '[fe80::1%eth0]/64',
    work: (text) => [exportArgument(text, '/a'), sameClient(text, `${text}x`), isHostName(text)],
  },
  { what: 'the mount table', line: (n) => mount(n, n - 1), work: parseMountinfo },
  {
    what: 'mounts, one on the other',
    line: (n) => mount(n, n - 1, '/srv'),
    work: (text) => mountsOn(parseMountinfo(text), '/srv'),
  },
  {
    what: 'mounts, one below the other',
    line: (n) => mount(n, n - 1),
    work: (text) => mountsBelow(parseMountinfo(text), someMount),
  },
  {
    what: 'mounts, all below one',
    line: (n) => mount(n, n === 1 ? 0 : 1),
    work: (text) => [
      mountsBelow(parseMountinfo(text), someMount),
      mountHolding(parseMountinfo(text), '/srv/m1/x'),
    ],
  },
  {
    what: 'who is taken along by an unmount',
    line: (n) => mount(n, n - 1),
    work: (text) => takenAlong(parseMountinfo(text), { ...someMount, id: 2, parent: 1 }, new Set()),
  },
  { what: 'a path', sample: '/srv/../a/./b//c', work: (text) => [tidyPath(text), asideOf(text)] },
  { what: 'octal escapes', sample: '/srv/a\\040b\\303\\274', work: decodeOctal },
  { what: 'bytes', sample: 'name\udc80\udcffü', work: (text) => textOf(bytesOf(text)) },
  { what: 'a name of a file', sample: 'Data:0%3A', work: (text) => textOfFileName(fileNameOf(text)) },
  {
    what: 'the environment',
    line: (n) => `NAME${n}=value`,
    work: (text) => parseEnviron(Buffer.from(text.replaceAll('\n', '\0'))),
  },
  {
    what: 'a line of /proc/PID/stat',
    sample: '4711 (rpc.statd) S 1 4711 4711 0 -1 4194560 1 2 3',
    work: parseStat,
  },
  { what: 'fstab', line: (n) => `/dev/sd${n} /srv/a\\040${n} ext4 defaults 0 0`, work: fstab },
  {
    what: 'a device',
    sample: 'UUID="0a1b"',
    work: (text) => sourceOf({ device: text, fstype: undefined, options: text }),
  },
  {
    what: 'the name of a server',
    sample: 'me@[fe80::1]:/srv//a/',
    work: (text) => sourceName(text, someMount),
  },
  {
    what: 'options of a mount',
    sample: 'rw,subvolid=256,lowerdir=/a:/b,addr=10.0.0.1',
    work: (text) => [
      hasOption(text, 'bind'),
      optionValue(text, 'addr'),
      layersOf(text.split(','), 'lowerdir'),
      subvolumeOf({ ...someMount, superOptions: text.split(',') }),
    ],
  },
  {
    what: 'force_unmount, signals',
    sample: 'safe,nomove,xargs',
    work: (text) => [readForce(text), readSignals(text)],
  },
  {
    what: 'directories and options to export',
    sample: '/srv/a\\040b /srv/c\\ d rw,fsid=1',
    work: (text) => [directoriesIn(text), fsidIn(splitOptions(text))],
  },
  { what: 'arguments of rpc.nfsd', sample: '-H 10.0.0.1 --port=2049 -N 3 8', work: readNfsdArgs },
  { what: 'arguments of sm-notify', sample: '-m 15 -p 700 -n', work: readArgs },
  {
    what: 'a unit',
    line: (n) => `[Service]\nExecStart=-@/usr/sbin/rpc.nfsd "a ${n}" \\\n  'b' %n $ARGS\n# c`,
    work: (text) => dropInText([{ path: '/lib/systemd/system/a.service', text }]),
  },
  {
    what: 'what systemd says of units',
    line: (n) => `Id=nfs-server${n}.service\nActiveState=failed\nDropInPaths=/run/a /run/b\n`,
    work: parseUnits,
  },
  {
    what: 'sysconfig',
    line: (n) => `export A${n}="b c" # d`,
    work: (text) => withVariables(text, { A: '1', B: '2' }),
  },
  {
    what: 'a reason',
    sample: 'umount: /srv: target is busy.\n',
    work: (text) => [reasonLine(text), oneLine(text)],
  },
  {
    what: 'an address',
    sample: '2001:db8::7%eth0',
    work: (text) => [addressFamily(text), canonicalIp(text)],
  },
  {
    what: '`ip address`',
    line: (n) =>
      `{"ifindex":${n},"ifname":"eth${n}","flags":["UP"],"addr_info":[{"family":"inet","local":"10.0.0.${n % 256}","prefixlen":24}]},`,
    around: ['[', '{"ifindex":0,"flags":[]}]'],
    work: parseAddresses,
  },
  {
    what: '`ip route`',
    line: (n) => `{"dst":"10.0.${n % 256}.0/24","dev":"eth0","protocol":"kernel","flags":["linkdown"]},`,
    around: ['[', '{}]'],
    work: parseRoutes,
  },
  {
    what: '/proc/net/if_inet6',
    line: (n) => `fe80000000000000505400ff${n.toString(16).padStart(8, '0')} 02 40 20 80     eth0`,
    work: parseIfInet6,
  },
  { what: '/proc/net/fib_trie', line: (n) => `  |-- 10.0.0.${n}\n    /32 host LOCAL`, work: parseLocalTable },
  {
    what: '/proc/net/tcp, who listens',
    line: (n) =>
      `   ${n}: 00000000:0801 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ${n} 1`,
    work: (text) => parseListeners(text, 2049),
  },
  {
    what: '/proc/net/tcp, connections',
    line: (n) =>
      `   ${n}: 1400000A:0801 1500000A:03E5 01 00000000:00000000 02:000003E8 00000000     0        0 ${n} 2`,
    work: (text) => parseTcp(text),
  },
  {
    what: 'drbdsetup events2',
    line: event,
    around: ['exists resource name:data role:Primary suspended:no\n', '\nexists -\n'],
    work: (text) => parseEvents2(text, 'data'),
  },
  {
    what: 'drbdsetup status --json',
    line: (n) => `{"name":"data${n}","role":"Primary","done":nan,"devices":[]},`,
    around: ['[', '{}]'],
    work: (text) => parseStatusJson(text, 'data'),
  },
  {
    what: 'drbdsetup sh-status',
    line: (n) =>
      `_minor=${n}\n_res_name='data'\n_known=Configured\n_cstate=Connected\n_role=Secondary\n_sh_status_process`,
    work: (text) => parseShStatus(text, 'data'),
  },
  {
    what: '/proc/drbd',
    line: (n) =>
      ` ${n}: cs:SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate C r-p---\n\t[==>...] sync'ed:  2.1% (1/2)K`,
    work: parseProcDrbd,
  },
  {
    what: 'drbdadm dump-xml',
    line: (n) =>
      `<resource name="r${n}"><host name="a b"><volume vnr="0"/></host><option name="quorum" value="off"/></resource>`,
    around: ['<config>', '</config>'],
    work: (text) => {
      const root = readElements(text);
      if (root !== undefined) configurationIn(root);
    },
  },
  {
    what: "the cluster's configuration",
    line: (n) =>
      `<primitive id="p${n}" class="ocf" provider="tsha" type="drbd"><operations><op id="o${n}" name="monitor" interval="10s"/></operations></primitive>`,
    around: ['<cib><configuration><resources>', '</resources></configuration><status/></cib>'],
    work: (text) => readCib(parseXml(text)),
  },
  {
    what: "a tool's XML",
    line: (n) => `<primitive id="p${n}" type="drbd"><nvpair name="a" value="&lt;b"/></primitive>`,
    around: ['<cib>', '</cib>'],
    work: readElements,
  },
  {
    what: 'words of drbdadm and drbdsetup',
    line: (n) => `drbd1 opened by dd (x (pid ${n}) at 2026-11-28 17:29:39.433\n: in resource a, on b:`,
    work: (text) => [complaint({ code: 1, stdout: '', stderr: text }), openersIn({ stderr: text })],
  },
  {
    what: 'rules of nft',
    line: (n) => `{"rule":{"chain":"prerouting","handle":${n},"comment":"a","expr":[{"drop":null}]}},`,
    around: ['{"nftables":[', '{"metainfo":{}}]}'],
    work: parseRules,
  },
  { what: "nfsd's threads", line: () => 'th 8 0 0.000 0.000', work: parseThreads },
  {
    what: 'versions of DRBD',
    line: () => 'version: 8.4.11 (api:1/proto:86-101)\nDRBD_KERNEL_VERSION_CODE=0x08040b',
    work: (text) => [procVersion(text), parseToolVersion(text)],
  },
  { what: 'scores', sample: '0 10 1000 10000', work: parseScores },
  {
    what: 'a moment',
    sample: '2026-11-28 20:40:00 +01:00',
    work: (text) => [readTime(text), readSince(text, 0)],
  },
  {
    what: "the alert agent's log",
    line: (n) =>
      `{"v":1,"at":${n},"seq":1,"kind":"resource","node":"a","resource":"b","action":"start","intervalMs":0,"code":1,"expected":0,"status":0,"ms":1,"name":"","value":"","what":"","reason":""}`,
    work: eventsInLog,
  },
  { what: 'tsha.yaml', sample: pairYaml, isOwn: true, work: (text) => pairFrom('tsha.yaml', text, 'en') },
  {
    what: "the kernel's log of DRBD",
    line: (n) =>
      `[   82.25${n}] drbd data/0 drbd1 node2: self 0123456789ABCDE0:0 bits:64 flags:0\n[   83.${n}] drbd data node2: Split-Brain detected but unresolved, dropping connection!`,
    work: (text) => [
      splitBrainIn(text, peerless),
      changedAlone(text, peerless, 'node2'),
      lastPrimaryTime(text, peerless),
    ],
  },
];

function fstab(text: string): void {
  const machine = new FakeMachine();
  machine.files.set('/etc/fstab', text);
  void isInFstab({ sys: machine } as never, '/srv');
}

/** So many lines as they usually are. */
export const manyLines = (
  { line = () => '', around: [head, tail] = ['', ''] }: Parser,
  count: number,
): string => head + Array.from({ length: count }, (_, n) => line(n + 1)).join('\n') + tail;

/** What means something to one of them, or is likely to be forgotten. */
export const pumps: readonly string[] = [
  ...' \t\n:/\\"\'[](){}<>,=#;-.0a%@|&*_\0ü\udc80',
  ...[
    ' \n',
    '\n ',
    ':/',
    '/.',
    '../',
    '\\040',
    '\\\n',
    '\\\\',
    '--',
    'a ',
    ' a',
    'a=',
    '=a,',
    '0.',
    '<a>',
    '</a>',
    '<!--',
    '&lt;',
    '[{"',
    '}, ',
  ],
];
