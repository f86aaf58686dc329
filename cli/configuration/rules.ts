import ipaddr from 'ipaddr.js';
import { isSecretName } from '../../lib/contract/secrets.ts';
import { secondsIn } from '../../lib/host/cluster-time.ts';
import { canonicalIp } from '../../lib/host/net/address-text.ts';
import { isHostName, sameClient } from '../../lib/host/nfs/client-spec.ts';
import { isWithin } from '../../lib/host/storage/mounts.ts';
import { diskOf, exportsOf, pairOf, stateDiskOf, stateOf, volumesOf } from './pair.ts';
import type { Problem } from './problem.ts';
import type { Configuration } from './shape.ts';
import { suggestion } from './suggestion.ts';

// What two settings say together, of a file whose settings are each as shape.ts wants them.

type Rule = (configuration: Configuration) => Iterable<Problem>;

/** Each once, although both nodes may have it from the same place. */
export function problemsIn(configuration: Configuration): readonly Problem[] {
  const found = new Map<string, Problem>();
  for (const rule of rules)
    for (const problem of rule(configuration)) found.set(JSON.stringify(problem), problem);
  return [...found.values()];
}

const rules: readonly Rule[] = [
  nodes,
  disks,
  serviceAddresses,
  ports,
  directories,
  exported,
  exportOptions,
  periods,
  ids,
  fencing,
  acceptedTwice,
];

/** Whether a finding is meant to be so, today. */
const isAccepted = ({ accept }: Configuration, code: Configuration['accept'][number]['code']): boolean =>
  accept.some((one) => one.code === code && one.until >= new Date().toISOString().slice(0, 10));

/** An address that a host can have beside others: no loopback, multicast or 0.0.0.0, nor one of a single link. */
function isUsable(ip: string): boolean {
  const range = ipaddr.parse(ip).range();
  return !['unspecified', 'loopback', 'multicast', 'linkLocal', 'broadcast'].includes(range);
}

const bare = (written: string | undefined): string | undefined =>
  canonicalIp((written ?? '').split('/')[0] ?? '');

function* nodes({ nodes, address }: Configuration): Generator<Problem> {
  const names = Object.keys(nodes);
  if (names.length !== 2)
    yield { path: ['nodes'], isName: true, says: 'twoNodes', facts: { count: names.length } };
  const service = [bare(address.ip), bare(address.ip6)];
  const seen = new Map<string, string>();
  for (const name of names) {
    const written = nodes[name]?.replication ?? '';
    const ip = canonicalIp(written) ?? written;
    const path = ['nodes', name, 'replication'];
    if (!isUsable(ip)) yield { path, says: 'replicationUseless', facts: { word: written } };
    else if (service.includes(ip)) yield { path, says: 'replicationIsService', facts: { word: written } };
    else if (seen.has(ip)) yield { path, says: 'replicationTwice', facts: { word: written } };
    else if ([...seen.keys()].some((other) => other.includes(':') !== ip.includes(':')))
      yield { path, says: 'replicationFamilies' };
    seen.set(ip, name);
  }
}

function* disks(configuration: Configuration): Generator<Problem> {
  for (const node of Object.keys(configuration.nodes)) {
    const disk = diskOf(configuration, node);
    const path = configuration.nodes[node]?.disk === undefined ? ['drbd', 'disk'] : ['nodes', node, 'disk'];
    if (disk === undefined)
      yield { path: ['nodes', node], isName: true, says: 'noDisk', facts: { word: node } };
    else if (disk === configuration.drbd.device) yield { path, says: 'sameDisk' };
    yield* stateDisk(configuration, node);
  }
  if (configuration.state?.device === configuration.drbd.device)
    yield { path: ['state', 'device'], says: 'sameDevice', facts: { word: configuration.drbd.device } };
}

function* stateDisk(configuration: Configuration, node: string): Generator<Problem> {
  const { state, nodes, drbd } = configuration;
  const own = nodes[node]?.stateDisk;
  const path = own === undefined ? ['state', 'disk'] : ['nodes', node, 'stateDisk'];
  if (!state) {
    if (own !== undefined) yield { path, isName: true, says: 'stateDiskOfNothing' };
    return;
  }
  const disk = stateDiskOf(configuration, node);
  if (disk === undefined)
    yield { path: ['nodes', node], isName: true, says: 'noStateDisk', facts: { word: node } };
  else if (disk === state.device || disk === drbd.device) yield { path, says: 'sameDisk' };
  else if (disk === diskOf(configuration, node)) yield { path, says: 'diskTwice', facts: { word: disk } };
}

function* serviceAddresses({ address }: Configuration): Generator<Problem> {
  if (address.ip === undefined && address.ip6 === undefined)
    yield { path: ['address'], isName: true, says: 'noAddress' };
  for (const key of ['ip', 'ip6'] as const) {
    const written = address[key];
    if (written === undefined) continue;
    const [ip = '', prefix = ''] = written.split('/');
    const path = ['address', key];
    if (!isUsable(ip)) yield { path, says: 'addressUseless', facts: { word: ip } };
    else if (key === 'ip' && Number(prefix) < 31) {
      if (ipaddr.IPv4.networkAddressFromCIDR(written).toString() === ip)
        yield { path, says: 'isNetwork', facts: { word: written } };
      if (ipaddr.IPv4.broadcastAddressFromCIDR(written).toString() === ip)
        yield { path, says: 'isBroadcast', facts: { word: written } };
    }
  }
}

function* ports({ nfs, drbd }: Configuration): Generator<Problem> {
  const taken = new Map<number, string>([
    [111, 'rpcbind'],
    [2049, 'nfsd'],
    [2224, 'pcsd'],
    [5405, 'corosync'],
  ]);
  const named = [
    { path: ['drbd', 'port'], port: drbd.port },
    ...Object.entries(nfs.ports).flatMap(([name, port]) =>
      port === undefined ? [] : [{ path: ['nfs', 'ports', name], port }],
    ),
  ];
  for (const { path, port } of named) {
    const by = taken.get(port);
    if (by !== undefined) yield { path, says: 'portTaken', facts: { word: port, by } };
    taken.set(port, path.join('.'));
  }
  if (Object.keys(nfs.ports).length > 0 && !nfs.versions.includes(3))
    yield { path: ['nfs', 'ports'], isName: true, says: 'portsOnlyFor3' };
  for (const [index, version] of nfs.versions.entries())
    if (nfs.versions.indexOf(version) < index)
      yield { path: ['nfs', 'versions', index], says: 'versionTwice', facts: { word: version } };
  if (!nfs.versions.includes(4)) yield { path: ['nfs', 'versions'], says: 'without4' };
}

const isOfTheSystem = (directory: string): boolean =>
  ofTheSystem.below.some((one) => isWithin(directory, one)) ||
  ofTheSystem.themselves.some((one) => one === directory);

/** Nobody mounts over these, or below the first of them. */
const ofTheSystem = {
  below: [
    '/proc',
    '/sys',
    '/dev',
    '/run',
    '/boot',
    '/etc',
    '/usr',
    '/var/lib/nfs',
    '/var/lib/pacemaker',
    '/tmp',
  ],
  themselves: ['/var', '/var/lib', '/home', '/root', '/opt', '/srv', '/mnt', '/bin', '/sbin', '/lib'],
} as const;

function* directories(configuration: Configuration): Generator<Problem> {
  const { filesystem, state: own, exports } = configuration;
  const { directory } = filesystem;
  for (const [section, word] of Object.entries({ filesystem: directory, state: own?.directory }))
    if (word !== undefined && isOfTheSystem(word))
      yield { path: [section, 'directory'], says: 'systemDirectory', facts: { word } };
  // one mounted within the other would have to go before it, and would be reached through it
  if (own && (isWithin(own.directory, directory) || isWithin(directory, own.directory)))
    yield {
      path: ['state', 'directory'],
      says: 'oneInTheOther',
      facts: { word: own.directory, other: directory },
    };
  const state = stateOf(configuration);
  const stateHome = own?.directory ?? directory;
  if (!isWithin(state, stateHome))
    yield { path: ['nfs', 'state'], says: 'outsideFilesystem', facts: { word: state, directory: stateHome } };
  for (const [index, { directory: word }] of exports.entries()) {
    const path = ['exports', index, 'directory'];
    if (!isWithin(word, directory)) yield { path, says: 'outsideFilesystem', facts: { word, directory } };
    else if (isWithin(state, word)) {
      if (!isAccepted(configuration, 'INFODIR_EXPORTED'))
        yield { path, says: 'stateExported', facts: { word, state } };
    } else if (isWithin(word, state)) yield { path, says: 'exportInState', facts: { word, state } };
  }
}

function* exported(configuration: Configuration): Generator<Problem> {
  const { exports } = configuration;
  const directories = new Set<string>();
  const fsids = new Map<string, string>();
  for (const [index, { directory, fsid, clients, ids }] of exports.entries()) {
    if (directories.has(directory))
      yield { path: ['exports', index, 'directory'], says: 'exportTwice', facts: { word: directory } };
    directories.add(directory);
    const key = fsid === 'root' ? '0' : String(fsid).toLowerCase();
    const other = fsids.get(key);
    if (other !== undefined && other !== directory && !isAccepted(configuration, 'FSID_TWICE'))
      yield { path: ['exports', index, 'fsid'], says: 'fsidTwice', facts: { word: String(fsid), other } };
    fsids.set(key, directory);
    for (const [at, client] of clients.entries()) {
      const path = ['exports', index, 'clients', at];
      const problem = clientProblem(client);
      if (problem) yield { path, ...problem };
      else if (clients.slice(0, at).some((one) => sameClient(one, client)))
        yield { path, says: 'clientTwice', facts: { word: client } };
    }
    if (ids && ids.length !== clients.length)
      yield {
        path: ['exports', index, 'ids'],
        says: 'idsForClients',
        facts: { clients: clients.length, count: ids.length },
      };
  }
}

function clientProblem(client: string): Pick<Problem, 'says' | 'facts'> | undefined {
  const wrong = { says: 'notAClient', facts: { word: client } } as const;
  if (client === '*' || /^@[\w.-]+$/.test(client)) return undefined;
  const [address = '', length, ...more] = client.split('/');
  const ip = canonicalIp(address);
  if (ip === undefined) {
    const isWildcard = /^[\w.*?[\]-]+$/.test(client) && /[*?]/.test(client);
    return length === undefined && (isWildcard || isHostName(client)) ? undefined : wrong;
  }
  if (length === undefined) return undefined;
  const isV6 = ip.includes(':');
  // a mask in dots is exports(5), too
  if (more.length > 0 || !(/^\d{1,3}$/.test(length) && Number(length) <= (isV6 ? 128 : 32)))
    return !isV6 && more.length === 0 && canonicalIp(length) !== undefined ? undefined : wrong;
  const kind = isV6 ? ipaddr.IPv6 : ipaddr.IPv4;
  const network = `${canonicalIp(kind.networkAddressFromCIDR(client).toString())}/${length}`;
  return network === `${ip}/${length}` ? undefined : { says: 'hostBits', facts: { word: client, network } };
}

/** Of exports(5); those with a value end with `=`. */
const opposites = [
  ['ro', 'rw'],
  ['sync', 'async'],
  ['wdelay', 'no_wdelay'],
  ['hide', 'nohide'],
  ['crossmnt', 'nocrossmnt'],
  ['secure', 'insecure'],
  ['root_squash', 'no_root_squash'],
  ['all_squash', 'no_all_squash'],
  ['subtree_check', 'no_subtree_check'],
  ['secure_locks', 'insecure_locks'],
  ['auth_nlm', 'no_auth_nlm'],
  ['acl', 'no_acl'],
] as const;
const single = ['mountpoint', 'mp', 'pnfs', 'no_pnfs', 'security_label'] as const;
const withValue = ['anonuid', 'anongid', 'sec', 'refer', 'replicas', 'mountpoint', 'mp', 'xprtsec'] as const;
const exportOptionNames: readonly string[] = [
  ...opposites.flat(),
  ...single,
  ...withValue.map((name) => `${name}=`),
];

function* exportOptions({ exports }: Configuration): Generator<Problem> {
  for (const [index, { options }] of exports.entries()) {
    const path = ['exports', index, 'options'];
    const words = options.split(',');
    for (const option of words) {
      const [name = '', value] = option.split('=', 2);
      const isKnown = exportOptionNames.includes(value === undefined ? name : `${name}=`);
      if (name === 'fsid') yield { path, says: 'fsidInOptions' };
      else if (!isKnown) {
        const meant = suggestion(name, exportOptionNames);
        yield { path, says: 'unknownOption', facts: { word: option }, meant };
      }
    }
    for (const [one, other] of opposites)
      if (words.includes(one) && words.includes(other))
        yield { path, says: 'optionTwice', facts: { word: one, other } };
  }
}

function* periods(configuration: Configuration): Generator<Problem> {
  const { lease, grace, lockdGrace } = configuration.nfs;
  for (const [name, duration] of Object.entries({ lease, grace, lockdGrace })) {
    const seconds = duration === undefined ? null : secondsIn(duration);
    if (seconds !== null && !(seconds >= 10 && seconds <= 240))
      yield { path: ['nfs', name], says: 'secondsRange', facts: { word: duration ?? '' } };
  }
  const [leaseSeconds, graceSeconds] = [secondsIn(lease ?? '90s') ?? 90, secondsIn(grace ?? '90s') ?? 90];
  if (graceSeconds < leaseSeconds && !isAccepted(configuration, 'GRACE_BELOW_LEASE'))
    yield {
      path: ['nfs', grace === undefined ? 'lease' : 'grace'],
      says: 'graceBelowLease',
      facts: { grace: grace ?? '90s', lease: lease ?? '90s' },
    };
}

function* ids(configuration: Configuration): Generator<Problem> {
  const pair = pairOf(configuration);
  const seen = new Set<string>();
  for (const id of [
    ...Object.values(pair.ids),
    ...[...volumesOf(pair), ...pair.addresses].map((one) => one.id),
  ]) {
    if (seen.has(id)) yield { path: ['ids'], isName: true, says: 'idTwice', facts: { word: id } };
    seen.add(id);
  }
  const places = configuration.exports.flatMap(({ clients }, index) => clients.map(() => index));
  const all = exportsOf(configuration);
  for (const [index, { id, directory, client }] of all.entries()) {
    const path = ['exports', places[index] ?? 0];
    const first = all.findIndex((one) => one.directory === directory && one.client === client);
    if (first < index) continue; // told as such
    if (seen.has(id)) yield { path, says: 'exportIdTwice', facts: { word: id } };
    seen.add(id);
  }
}

/** What only says where a secret lies, and what fence_scsi and fence_mpath register with. */
const isHarmless = /_(script|file)$|^key$/i;

function* fencing({ fencing, nodes }: Configuration): Generator<Problem> {
  if (!fencing) return;
  const names = Object.keys(nodes);
  for (const [name, { options }] of Object.entries(fencing)) {
    if (!names.includes(name))
      yield {
        path: ['fencing', name],
        isName: true,
        says: 'unknownNode',
        facts: { word: name },
        meant: suggestion(name, names),
      };
    for (const option of Object.keys(options))
      if (isSecretName(option) && !isHarmless.test(option))
        yield {
          path: ['fencing', name, 'options', option],
          isName: true,
          says: 'secret',
          facts: { word: option },
        };
  }
  for (const name of names)
    if (!(name in fencing))
      yield { path: ['fencing'], isName: true, says: 'nodeNotFenced', facts: { word: name } };
}

/** A code of which nobody could say which of two reasons and dates counts. */
export function* acceptedTwice({ accept }: Pick<Configuration, 'accept'>): Generator<Problem> {
  for (const [index, { code }] of accept.entries())
    if (accept.findIndex((one) => one.code === code) < index)
      yield { path: ['accept', index, 'code'], says: 'codeTwice', facts: { word: code } };
}
