import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { apply } from '../../../cli/apply/command.ts';
import type { Call } from '../../../cli/command.ts';
import { check } from '../../../cli/commands/check.ts';
import { create } from '../../../cli/drbd/create.ts';
import { grow } from '../../../cli/drbd/grow.ts';
import { CommandError, type Ending, exitStatus } from '../../../cli/exit.ts';
import type { Provider } from '../../../cli/facts/migration.ts';
import { init } from '../../../cli/init/command.ts';
import type { Words } from '../../../cli/init/from-words.ts';
import { migrate } from '../../../cli/migrate/command.ts';
import { planFromFile } from '../../../cli/plan/command.ts';
import { remove } from '../../../cli/remove/command.ts';
import type { Output } from '../../../lib/host/sys/sys.ts';
import type { FakeMachine } from '../../fake/machine.ts';
import { type FakePacemaker, pacemakerBelow } from '../../fake/pacemaker.ts';
import { FakePair } from '../../fake/pair.ts';

// Whatever people give it by mistake, in files, values, disks and clusters: the sentence that they are told, the exit status, and that
// nothing was changed: neither the cluster, nor a disk, nor a file.

vi.mock('../../../cli/output/print.ts', () => ({ print: () => {}, printLines: () => {} }));

/** On the lab's cluster: what is exported there, and disks that hold nothing. */
const yaml = `version: 1
name: nfs
nodes: { node1: { replication: 10.77.1.11 }, node2: { replication: 10.77.1.12 } }
drbd: { resource: other, device: /dev/drbd7, disk: /dev/sdb }
filesystem: { directory: /srv/nfs }
state: { device: /dev/drbd8, disk: /dev/sdc, directory: /srv/nfs-state }
address: { ip: 10.77.0.20/24 }
nfs: { lease: 15s, grace: 15s }
exports: [{ directory: /srv/nfs/home, clients: [10.77.0.0/24], options: "rw,sync", fsid: 1 }]
`;

type World = {
  readonly pair: FakePair;
  readonly pacemaker: FakePacemaker;
  /** The node that everything is typed on. */
  readonly here: FakeMachine;
  readonly call: Call;
  /** The file that is read. */
  readonly config: string;
  write(text: string): void;
};

const kept: (() => void)[] = [];
afterEach(() => {
  for (const undo of kept.splice(0)) undo();
});

async function world(): Promise<World> {
  const pair = new FakePair('healthy');
  const folder = mkdtempSync(join(tmpdir(), 'tsha-wrong-'));
  kept.push(() => {
    for (const dir of [folder, ...Object.values(pair.lockDirs)])
      rmSync(dir, { recursive: true, force: true });
  });
  const pacemaker = await pacemakerBelow(pair, 'tsha');
  const here = pair.machines.node2;
  const config = join(folder, 'tsha.yaml');
  writeFileSync(config, yaml);
  disk(here, '/dev/sdb', 16);
  disk(here, '/dev/sdc', 32);
  here.files.set('/proc/self/mountinfo', '1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n');
  here
    .on('modprobe', () => '')
    .on('crm_verify', () => '')
    .on('wipefs', () => '')
    .on('cmp', () => '')
    .on('mkfs.xfs', () => '')
    .on('mkfs.ext4', () => '')
    .on('blockdev', () => `${320 * 1024 * 1024}\n`);
  return {
    ...{ pair, pacemaker, here, config },
    call: { ...pair.call('node2'), json: false },
    write: (text) => writeFileSync(config, text),
  };
}

function disk(machine: FakeMachine, path: string, minor: number): void {
  const number = `8:${minor}`;
  machine.factsOf.set(path, { kind: 'block', rdev: 8 * 256 + minor });
  machine.files.set(path, '');
  machine.links.set(`/sys/dev/block/${number}`, `../../devices/${path.slice('/dev/'.length)}`);
  machine.files.set(`/sys/dev/block/${number}/size`, String((320 * 1024 * 1024) / 512));
}

/** Each as it is typed with `-y` and `-c FILE`. */
const commands = {
  check: ({ call, config }: World) => check(call, { node: null, file: config }),
  plan: ({ call, config }: World) => planFromFile(call, { config, as: 'pcs' }),
  apply: ({ call, config }: World) => apply(call, { config, dryRun: false, yes: true }),
  'drbd create': ({ call, config }: World) => create(call, { ...making, config }),
  'drbd create --here': ({ call, config }: World) => create(call, { ...making, config, here: true }),
  'drbd grow': ({ call, config }: World) => grow(call, { config, here: false, dryRun: false, yes: true }),
  remove: ({ call, config }: World) => remove(call, { config, dryRun: false, yes: true }),
  'migrate --to=tsha': (on: World) => handOver(on, 'tsha'),
  'migrate --to=stock': (on: World) => handOver(on, 'stock'),
  'init --from-cluster': ({ call, config }: World) =>
    init(call, { config: `${config}.new`, fromCluster: true, dryRun: false }),
} as const;
const making = { here: false, skipSync: false, overwrite: [], dryRun: false, yes: true } as const;
const handOver = ({ call }: World, to: Provider) =>
  migrate(call, { to, dryRun: false, yes: true, although: [] });

type Command = keyof typeof commands | ((on: World) => Promise<Ending>);
type Row = readonly [
  what: string,
  command: Command,
  given: (on: World) => unknown,
  sentence: RegExp,
  status: number,
];

/** The file with another text in it. */
const file =
  (what: string | RegExp, instead: string) =>
  ({ write }: World) => {
    const text = yaml.replace(what, instead);
    expect(text).not.toBe(yaml);
    write(text);
  };

/** A program that answers otherwise. */
const answers =
  (program: string, answer: Partial<Output> | string) =>
  ({ here }: World) =>
    here.on(program, () => answer);
const cib =
  (what: string | RegExp, instead: string) =>
  ({ pacemaker }: World) => {
    const text = pacemaker.cib.replace(what, instead);
    expect(text).not.toBe(pacemaker.cib);
    pacemaker.cib = text;
  };
const seen =
  (what: string | RegExp, instead: string) =>
  ({ here }: World) => {
    const mon = here.handler('crm_mon');
    here.on('crm_mon', async (args, command) => {
      const output = await mon(args, command);
      return (typeof output === 'string' ? output : (output?.stdout ?? '')).replace(what, instead);
    });
  };
const asked = (words: Words) => (on: World) =>
  init(on.call, { config: `${on.config}.new`, dryRun: false, ...words });
const flags: Words = {
  nodes: 'node1=10.77.1.11,node2=10.77.1.12',
  disk: '/dev/sdb',
  directory: '/srv/nfs',
  ip: '10.77.0.20/24',
  export: ['/srv/nfs/home=10.77.0.0/24'],
};
const overwriting = (path: string) => (on: World) =>
  create(on.call, { ...making, config: on.config, overwrite: [path] });
const ten = (of: string) => `[${Array(10).fill(of).join()}]`;
const million = `- &a ${ten('x')}\n${[...'bcdef'].map((to, n) => `- &${to} ${ten(`*${'abcde'[n]}`)}`).join('\n')}\n`;
const nothing = () => {};

// biome-ignore format: a table
const rows: readonly Row[] = [
  // the file, as YAML
  ['no file', 'apply', ({ config }) => rmSync(config), /there is no .*tsha\.yaml/, 3],
  ['an empty file', 'plan', ({ write }) => write(''), /tsha\.yaml holds nothing/, 3],
  ['no YAML', 'apply', file('name: nfs', 'name: [nfs'), /this is no YAML/, 3],
  ['a tab', 'plan', file('version: 1\n', 'version: 1\n\tname: x\n'), /tab|no YAML/, 3],
  ['a setting twice', 'drbd create', file('name: nfs', 'name: nfs\nname: nas'), /"name" is there twice/, 3],
  ['two documents', 'remove', file('address:', '---\naddress:'), /holds several documents/, 3],
  ['a tag', 'check', file('name: nfs', 'name: !name nfs'), /the tag !name means nothing here/, 3],
  ['a star without quotes', 'apply', file('[10.77.0.0/24]', '[*]'), /"\*" must stand between quotes/, 3],
  ['a name that begins with a star', 'plan', file('name: nfs', 'name: *nfs'), /tsha\.yaml:\d+:\d+: "\*nfs" stands for an anchor/, 3],
  ['an alias that stands for a million words', 'apply', ({ write }) => write(million), /stands for an anchor that is not there, or for too much/, 3],
  ['a setting with a slip in its name', 'drbd grow', file('directory: /srv/nfs }', 'drectory: /srv/nfs }'), /there is no setting "drectory" here, did you mean "directory"\?/, 3],
  ['a setting that is missing', 'apply', file('version: 1\n', ''), /"version" is missing/, 3],
  ['another version', 'plan', file('version: 1', 'version: 2'), /version must be 1/, 3],
  ['a password', 'apply', file('drbd:', 'password: x\ndrbd:'), /there is no setting "password" here/, 3],
  ['a list where settings belong', 'drbd create', file(/^drbd: .*$/m, 'drbd: [data]'), /wants settings with names, and is a list/, 3],
  ['a text where a list belongs', 'remove', file('[10.77.0.0/24]', '10.77.0.0/24'), /wants a list, and is text/, 3],
  ['a section without a value', 'drbd grow', file(/^drbd: .*$/m, 'drbd:'), /"drbd" has no value/, 3],
  // its values
  ['a name that can be none', 'apply', file('name: nfs', 'name: NFS'), /"NFS" can be no name/, 3],
  ['agents of nobody', 'apply', file('name: nfs', 'name: nfs\nprovider: stok'), /"stok" is none of tsha, stock, did you mean "stock"\?/, 3],
  ['an address that is none', 'drbd create', file('10.77.1.11', '10.77.1.256'), /"10\.77\.1\.256" is no IP address/, 3],
  ['a host name for the service', 'plan', file('10.77.0.20/24', 'nfs.example.org'), /"nfs\.example\.org" is no IP address/, 3],
  ['no prefix length', 'apply', file('10.77.0.20/24', '10.77.0.20'), /"10\.77\.0\.20" has no prefix length/, 3],
  ['a prefix length of 33', 'apply', file('10.77.0.20/24', '10.77.0.20/33'), /prefix length of "10\.77\.0\.20\/33" must be/, 3],
  ['the network itself', 'plan', file('10.77.0.20/24', '10.77.0.0/24'), /10\.77\.0\.0\/24 is the network itself/, 3],
  ['one address for both nodes', 'drbd create', file('10.77.1.12', '10.77.1.11'), /both nodes replicate over 10\.77\.1\.11/, 3],
  ['one node', 'apply', file(', node2: { replication: 10.77.1.12 }', ''), /a pair has two nodes, and here 1/, 3],
  ['a device that is not of DRBD', 'drbd create', file('/dev/drbd7', '/dev/sdd'), /"\/dev\/sdd" is no DRBD device/, 3],
  ['a disk without its path', 'drbd grow', file('disk: /dev/sdb', 'disk: sdb'), /"sdb" is no absolute path/, 3],
  ['DRBD below itself', 'drbd create', file('disk: /dev/sdb', 'disk: /dev/drbd7'), /the disk below DRBD is the DRBD device itself/, 3],
  ['one disk for both volumes', 'drbd create', file('/dev/sdc', '/dev/sdb'), /\/dev\/sdb/, 3],
  ['a port of somebody else', 'apply', file('disk: /dev/sdb }', 'disk: /dev/sdb, port: 2049 }'), /port 2049 is taken: nfsd/, 3],
  ['another filesystem', 'drbd create', file('{ directory: /srv/nfs }', '{ type: xsf, directory: /srv/nfs }'), /"xsf" is none of xfs, ext4, ext3, btrfs, did you mean "xfs"\?/, 3],
  ['a directory of the system', 'apply', file('{ directory: /srv/nfs }', '{ directory: /etc }'), /\/etc belongs to the system/, 3],
  ['an export outside', 'apply', file('/srv/nfs/home', '/home'), /\/home lies outside \/srv\/nfs/, 3],
  ['an fsid that is none', 'remove', file('fsid: 1', 'fsid: two'), /an fsid is a number, a UUID or root/, 3],
  ['an export option that is none', 'apply', file('rw,sync', 'rw,snyc'), /snyc/, 3],
  ['a duration without its unit', 'plan', file('lease: 15s', 'lease: "15"'), /"15" is no duration/, 3],
  ['a grace period shorter than the lease', 'apply', file('grace: 15s', 'grace: 10s'), /grace/, 3],
  ['an exception without an end', 'check', ({ write }) => write(`${yaml}accept: [{ code: GRACE_DEFAULT, why: so }]\n`), /"until" is missing/, 3],
  ['an exception for a code that is none', 'check', ({ write }) => write(`${yaml}accept: [{ code: GRAZE, why: so, until: 2030-01-31 }]\n`), /"GRAZE" is none of/, 3],
  // what is typed
  ['nothing to go by', asked({}), nothing, /nobody can be asked here: say --nodes, --disk, --directory, --ip, --export/, 3],
  ['nodes without addresses', asked({ ...flags, nodes: 'node1,node2' }), nothing, /nodes "node1,node2": write it as alpha=10\.0\.1\.1,beta=10\.0\.1\.2/, 3],
  ['one node twice', asked({ ...flags, nodes: 'node1=10.77.1.11,node1=10.77.1.12' }), nothing, /write it as two names that differ/, 3],
  ['an export to nobody', asked({ ...flags, export: ['/srv/nfs/home'] }), nothing, /export "\/srv\/nfs\/home": write it as/, 3],
  ['an export beside the filesystem', asked({ ...flags, export: ['/home=10.77.0.0/24'] }), nothing, /\/home lies outside \/srv\/nfs/, 3],
  ['an address without a prefix', asked({ ...flags, ip: '10.77.0.20' }), nothing, /has no prefix length/, 3],
  ['a file that is there', (on) => init(on.call, { config: on.config, dryRun: false, ...flags }), nothing, /is there already and stays as it is/, 3],
  ['a node that does not exist', (on) => check(on.call, { node: 'node3', file: on.config }), nothing, /node3/, 3],
  ['a disk to overwrite that is not of the pair', overwriting('/dev/sdz'), nothing, /--overwrite=\/dev\/sdz: no disk of the pair on this node is called so/, 3],
  ['nobody to ask', (on) => apply(on.call, { config: on.config, dryRun: false, yes: false }), file('name: nfs', 'name: nas'), /say --yes/, 3],
  ['nobody to ask, before a change of agents', (on) => migrate(on.call, { to: 'stock', dryRun: false, yes: false, although: [] }), nothing, /say --yes/, 3],
  ['not root', 'drbd create', ({ here }) => Object.assign(here, { uid: 1000 }), /root only/, 3],
  ['not root, before a change of agents', 'migrate --to=stock', ({ here }) => Object.assign(here, { uid: 1000 }), /root only/, 3],
  // disks
  ['a machine that is none of the pair', 'drbd create', ({ here }) => here.files.set('/proc/sys/kernel/hostname', 'elsewhere\n'), /this is elsewhere, and the file names node1, node2/, 3],
  ['the same, growing', 'drbd grow', ({ here }) => here.files.set('/proc/sys/kernel/hostname', 'elsewhere\n'), /this is elsewhere/, 3],
  ['a disk that is not there', 'drbd create', ({ here }) => { here.files.delete('/dev/sdb'); here.factsOf.delete('/dev/sdb'); }, /\/dev\/sdb .*Nothing has been changed/, 2],
  ['a file instead of a disk', 'drbd create', ({ here }) => here.factsOf.set('/dev/sdb', { kind: 'file' }), /\/dev\/sdb .*block device.*Nothing has been changed/, 2],
  ['a disk with a filesystem', 'drbd create', answers('wipefs', '{"signatures":[{"device":"sdb","offset":"0x0","type":"xfs"}]}'), /\/dev\/sdb .*xfs.*--overwrite=\/dev\/sdb/, 2],
  ['a disk with data that nobody knows', 'drbd create --here', answers('cmp', { code: 1 }), /\/dev\/sdb .*--overwrite=\/dev\/sdb/, 2],
  ['a disk that somebody has mounted', 'drbd create', ({ here }) => here.files.set('/proc/self/mountinfo', '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:16 / /mnt rw - ext4 /dev/sdb rw\n'), /\/dev\/sdb is in use: .*\/mnt/, 2],
  ['a disk that cannot be read', 'drbd create', answers('wipefs', { code: 1, stderr: 'wipefs: error: /dev/sdb: probing initialization failed: Input/output error\n' }), /Input\/output error/, 3],
  ['a resource that is there', 'drbd create', file('resource: other', 'resource: data'), /DRBD has a resource data here already/, 2],
  ['another file of this name', 'drbd create', ({ here }) => here.files.set('/etc/drbd.d/other.res', 'resource other {}\n'), /\/etc\/drbd\.d\/other\.res is there and says something else/, 2],
  ['a program that makes filesystems is not there', 'drbd create', answers('mkfs.ext4', { missing: true, code: 127 }), /mkfs\.ext4 is not installed here.*nothing has been changed/, 2],
  ['the other node refuses', 'drbd create', answers('ssh', { code: 2, stderr: 'tsha: /dev/sdb holds something\n' }), /node1: \/dev\/sdb holds something/, 2],
  ['disks of another size there', 'drbd create', answers('ssh', JSON.stringify({ generation: 8, disks: [{ path: '/dev/sdb', bytes: 1024 ** 3 }, { path: '/dev/sdc', bytes: 1024 ** 3 }] })), /\/dev\/sdb: 320 MiB here and 1 GiB on node1/, 2],
  ['another generation of DRBD there', 'drbd create', answers('ssh', JSON.stringify({ generation: 9, disks: [] })), /DRBD 8 here and 9 on node1/, 2],
  ['no first copy, and nobody saw the other side', (on) => create(on.call, { ...making, config: on.config, skipSync: true }), answers('ssh', { code: 255, stderr: 'Permission denied (publickey).\n' }), /--skip-sync takes both sides for alike/, 3],
  ['grown on one node only', 'drbd grow', (on) => { answers('ssh', JSON.stringify({ disks: [{ path: '/dev/sdb', bytes: 1024 ** 3 }, { path: '/dev/sdc', bytes: 1024 ** 3 }] }))(on); for (const name of ['drbd7', 'drbd8']) on.here.files.set(`/sys/class/block/${name}/size`, '600000'); }, /Make them alike/, 2],
  ['growing without the other node', 'drbd grow', answers('ssh', { code: 255, stderr: 'Permission denied (publickey).\n' }), /node1: Permission denied/, 2],
  // clusters
  ['no cluster here', 'apply', answers('cibadmin', { code: 102, stderr: 'cibadmin: Connection to the CIB failed: Transport endpoint is not connected\n' }), /Transport endpoint is not connected/, 3],
  ['no cluster here', 'migrate --to=stock', answers('cibadmin', { code: 102, stderr: 'Transport endpoint is not connected\n' }), /the cluster does not run on this node/, 3],
  ['no cluster here', 'remove', answers('cibadmin', { missing: true, code: 127 }), /cibadmin is not installed/, 3],
  ['no cluster here', 'init --from-cluster', answers('cibadmin', { code: 102, stderr: 'Transport endpoint is not connected\n' }), /Transport endpoint/, 3],
  ['the file of other nodes', 'apply', file('node1:', 'alpha:'), /the file names alpha, node2, and this cluster has node1, node2/, 2],
  ['the file of another pair of this name', 'remove', file(/node1:/, 'alpha:'), /the file names alpha, node2, and this cluster has node1, node2/, 2],
  ['an id that something else has', 'apply', cib(/<primitive id="nfs_ip"/, '<primitive id="nfs-server"'), /the id nfs-server is taken/, 2],
  ['what Pacemaker does not take', 'apply', (on) => { file('name: nfs', 'name: nas')(on); answers('crm_verify', { code: 78, stderr: 'error: Resource start-up disabled since no STONITH resources have been defined\n' })(on); }, /Pacemaker would not take it, nothing has been changed: .*STONITH/, 2],
  ['a stranger in the group', 'remove', (on) => { file('name: nfs', 'name: nfs\nids: { group: nfsshare, clone: DataClone, drbd: Data }')(on); }, /is in the group nfsshare and not in the file/, 2],
  ['no NFS server', 'migrate --to=stock', cib(/type="nfsserver"/g, 'type="apache"'), /this cluster has no pair: no group holds an nfsserver/, 3],
  ['two pairs', 'migrate --to=stock', cib(/(<group id="nfsshare">[\s\S]*?<\/group>)/, '$1<group id="second"><primitive id="nfs2" class="ocf" provider="tsha" type="nfsserver"/></group>'), /there are several groups with an nfsserver/, 3],
  ['no DRBD', 'init --from-cluster', cib(/type="drbd"/g, 'type="mysql"'), /no promotable clone of DRBD/, 3],
  ['a clone of the old kind', 'migrate --to=stock', cib(/<clone id="DataClone"([\s\S]*?)<\/clone>/, '<master id="DataClone"$1</master>'), /is a <master> of old/, 3],
  ['DRBD that is not configured', 'init --from-cluster', answers('drbdadm', { code: 10, stderr: "'data' not defined in your config\n" }), /not defined in your config/, 3],
  ['a node that is away', 'migrate --to=stock', seen(/(<node name="node1" [^>]*online=)"true"/, '$1"false"'), /nothing has been changed: node1, node2 are online/, 2],
  ['a cluster at work', 'migrate --to=stock', ({ pacemaker }) => { pacemaker.wish = 'nfsshare'; }, /Pacemaker has something to do: move nfsshare/, 2],
  ['a failed action', 'migrate --to=stock', seen('</pacemaker-result>', '<failures><failure op_key="nfs_ip_monitor_30000" node="node2" exitreason="gone"/></failures></pacemaker-result>'), /failed actions: nfs_ip \(node2\)/, 2],
  ['agents that are not installed', 'migrate --to=stock', ({ pacemaker }) => pacemaker.absent.add('ocf:heartbeat:nfsnotify'), /node2 lacks ocf:heartbeat:nfsnotify/, 2],
  ['agents that the other node lacks', 'migrate --to=stock', ({ pacemaker }) => { pacemaker.missingThere = ['ocf:linbit:drbd']; }, /node1 lacks ocf:linbit:drbd/, 2],
  ['a parameter that the others do not know', 'migrate --to=stock', ({ pacemaker }) => pacemaker.unknown.add('nfs_no_notify'), /the stock agents ignore nfs-daemon: nfs_no_notify/, 2],
];

/** What programs may be asked for by whoever changes nothing. */
const looking =
  /^(cibadmin --query|crm_mon |crm_verify |crm_simulate |crm_diff |crm_resource --show-metadata |drbdsetup (events2|status|show)|drbdadm (-d|--dry-run|sh-|role|-c)|dmesg|grep|find|nft|lvs|wipefs --no-act|cmp |blockdev --getsize64|modprobe drbd$|mkfs\.\w+ -V$|pacemakerd|drbdadm --version|ssh .* (look|agents|here -c - -n --json|--here -c - -n --json|grow --here -c -))/;

/** Every file of the folder, with its text. */
const filesIn = (config: string): readonly string[] => {
  const folder = join(config, '..');
  return readdirSync(folder).map((name) => `${name}: ${readFileSync(join(folder, name), 'utf8')}`);
};

test('the table has at least sixty rows', () => expect(rows.length).toBeGreaterThanOrEqual(60));

test.each(rows.map((row) => [typeof row[1] === 'string' ? `${row[1]}: ${row[0]}` : row[0], row] as const))(
  '%s',
  async (_, [, command, given, sentence, status]) => {
    const on = await world();
    given(on);
    const [before, files] = [on.pacemaker.cib, filesIn(on.config)];
    const outcome = await (typeof command === 'string' ? commands[command] : command)(on).then(
      (ending) => ({ ending, said: `it ended ${ending}` }),
      (error: Error) => ({
        ending: error instanceof CommandError ? error.ending : ('unknown' as const),
        said: error.message,
      }),
    );
    expect(outcome.said).toMatch(sentence);
    expect(exitStatus[outcome.ending]).toBe(status);
    expect(on.pacemaker.cib).toBe(before);
    expect(filesIn(on.config)).toEqual(files);
    expect(on.here.ran.filter((line) => !looking.test(line))).toEqual([]);
  },
);
