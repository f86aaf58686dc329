import { declaredPromoteSeconds, findingsInDrbd } from '../../lib/findings/drbd-configuration.ts';
import { type Finding, finding } from '../../lib/findings/finding.ts';
import { secondsIn } from '../../lib/host/cluster-time.ts';
import { alertAgent } from '../facts/alerts.ts';
import { type Alert, isPromotedRole, type Primitive } from '../facts/cib.ts';
import type { Cluster } from '../facts/cluster.ts';
import type { Facts } from '../facts/gather.ts';
import { leadersOf, nfsServer, type Replicated, replicated } from '../facts/service.ts';
import type { Setup } from '../facts/setup.ts';
import { couldNot } from './unknown.ts';

/** What works today and will hurt on the day of a failure. */
export function findingsInConfiguration(facts: Facts, setup: Setup): readonly Finding[] {
  const cluster = facts.cluster.is === 'known' ? facts.cluster.value : null;
  return [
    ...(cluster
      ? [...fencing(cluster), ...monitors(cluster), ...clones(cluster), ...group(facts, cluster)]
      : []),
    ...(cluster ? [...exports(cluster), ...versions(cluster), ...alerts(cluster)] : []),
    ...quorum(setup),
    ...(cluster ? drbd(facts, cluster, setup) : []),
    ...nfs(facts, setup),
    ...boot(facts, cluster, setup),
    ...unknowns(facts.node, setup),
  ];
}

function* unknowns(
  node: string,
  { corosync, atBoot, mountUnits, firewall, fstab, kernels, drbd }: Setup,
): Generator<Finding> {
  const all = {
    'corosync.conf': corosync,
    'what starts at boot': atBoot,
    'the mount units': mountUnits,
    'the firewall': firewall,
    '/etc/fstab': fstab,
    'the kernels': kernels,
  };
  for (const [subject, fact] of Object.entries(all))
    if (fact.is === 'unknown') yield couldNot(node, subject, fact.why);
  for (const [name, fact] of drbd)
    if (fact.is === 'unknown') yield couldNot(node, `the configuration of DRBD resource ${name}`, fact.why);
}

const isNo = (value: string | undefined): boolean => /^(false|no|off|0|n)$/i.test(value ?? '');
const isYes = (value: string | undefined): boolean => /^(true|yes|on|1|y)$/i.test(value ?? '');
const setting = (source: string, text: string) => ({ evidence: [{ source, text }] });

function* fencing({ cib }: Cluster): Generator<Finding> {
  const value = cib.properties['stonith-enabled'];
  const devices = cib.primitives.filter(({ agent }) => agent.startsWith('stonith:'));
  if (isNo(value))
    yield finding('FENCING_OFF', { value: value ?? '' }, setting('cibadmin', `stonith-enabled=${value}`));
  else if (devices.length === 0)
    yield finding('NO_FENCING_DEVICE', {}, setting('cibadmin', 'no stonith resource'));
  const policy = cib.properties['no-quorum-policy'];
  if (policy === 'ignore')
    yield finding('QUORUM_IGNORED', { value: policy }, setting('cibadmin', `no-quorum-policy=${policy}`));
}

/** In milliseconds; measured in docs/performance.md. */
const [hastyToken, slowToken] = [1000, 3000];

function* quorum({ corosync }: Setup): Generator<Finding> {
  if (corosync.is === 'unknown' || corosync.value === null) return;
  const { nodes, twoNode, hasDevice, waitForAll, token, consensus } = corosync.value;
  const source = '/etc/corosync/corosync.conf';
  // its vote decides between the two, and lets nobody start alone whom the other one still serves beside
  if (nodes === 2 && !twoNode && !hasDevice)
    yield finding('NO_TWO_NODE', {}, setting(source, 'no two_node: 1'));
  if (waitForAll === false && !hasDevice)
    yield finding('NO_WAIT_FOR_ALL', {}, setting(source, 'wait_for_all: 0'));
  const seconds = ((token + consensus) / 1000).toFixed(1);
  const told = setting(source, `token ${token}, consensus ${consensus}`);
  if (token >= slowToken) yield finding('DETECTION_SLOW', { seconds, token }, told);
  if (token < hastyToken) yield finding('DETECTION_HASTY', { token }, told);
}

const recurring = ({ operations }: Primitive) =>
  operations.filter(({ name, interval }) => name === 'monitor' && secondsIn(interval) !== 0);

function* monitors({ cib }: Cluster): Generator<Finding> {
  const promotable = new Set(
    cib.clones.filter((clone) => clone.promotable).flatMap(({ members }) => members),
  );
  for (const primitive of cib.primitives) {
    const { id, agent } = primitive;
    if (agent.startsWith('stonith:')) continue;
    const found = recurring(primitive);
    const evidence = setting(
      'cibadmin',
      found.map(({ interval, role }) => `monitor interval=${interval} role=${role ?? '-'}`).join(', ') ||
        'no monitor',
    );
    if (found.length === 0) yield finding('NO_MONITOR', { resource: id }, { resource: id, ...evidence });
    else if (promotable.has(id)) {
      if (!found.some(({ role }) => isPromotedRole(role)))
        yield finding('NO_PROMOTED_MONITOR', { resource: id }, { resource: id, ...evidence });
      if (found.every(({ role }) => isPromotedRole(role)))
        yield finding('NO_UNPROMOTED_MONITOR', { resource: id }, { resource: id, ...evidence });
    }
  }
}

function* clones(cluster: Cluster): Generator<Finding> {
  const { cib } = cluster;
  for (const { id, clone: cloneId } of replicated(cluster)) {
    const clone = cib.clones.find((one) => one.id === cloneId);
    if (!clone?.promotable) continue;
    const primitive = cib.primitives.find((one) => one.id === id);
    const meta = { ...primitive?.meta, ...clone.meta };
    if (!isYes(meta['notify']))
      yield finding(
        'NO_NOTIFY',
        { clone: clone.id, resource: id },
        { resource: id, ...setting('cibadmin', `notify=${meta['notify'] ?? 'not set'}`) },
      );
    const most = meta['promoted-max'] ?? meta['master-max'] ?? '1';
    if (Number(most) > 1)
      yield finding('TOO_MANY_PROMOTED', { clone: clone.id, value: most }, { resource: id });
  }
}

/** The group, or a lone Filesystem, that works on a device of DRBD's. */
function* group(facts: Facts, cluster: Cluster): Generator<Finding> {
  const { cib } = cluster;
  const clones = replicated(cluster).filter(({ clone }) => clone !== null);
  const members = (id: string) => cib.groups.find((one) => one.id === id)?.members ?? [id];
  for (const { id, group: of, parameters } of cib.primitives.filter(
    ({ type, clone: own }) => type === 'Filesystem' && own === null,
  )) {
    const device = parameters['device'] ?? '';
    if (!isDrbd(device)) continue;
    const below = clones.filter((one) => holds(facts, one, device) !== false);
    if (below.length === 0) continue;
    // where nobody knows which of them it is, any will do
    const sure = below.filter((one) => holds(facts, one, device) === true);
    const names = (sure.length > 0 ? sure : below).flatMap((one) => [one.clone ?? one.id, one.id]);
    const clone = (sure.length > 0 ? sure : below).map((one) => one.clone).join(' | ');
    const unit = of ?? id;
    const own = [unit, ...members(unit)];
    const isWith = leadersOf(cluster, unit).some((one) => names.includes(one.id));
    if (!isWith) yield finding('NOT_WITH_PROMOTED', { resource: unit, clone }, { resource: unit });
    const isAfter = cib.orders.some(
      ({ first, firstAction, second }) =>
        names.includes(first) && firstAction === 'promote' && own.includes(second),
    );
    if (!isAfter) yield finding('NOT_AFTER_PROMOTE', { resource: unit, clone }, { resource: unit });
  }
}

/** `/dev/drbd1`, `/dev/drbd/by-res/data/0`, `/dev/drbd_data` */
const isDrbd = (device: string): boolean => device.startsWith('/dev/drbd');

/** Whether a device is one of that resource's; null where nobody knows. */
function holds({ drbd }: Facts, { name }: Replicated, device: string): boolean | null {
  const byName = /^\/dev\/drbd\/by-res\/([^/]+)/.exec(device)?.[1];
  if (byName !== undefined) return byName === name;
  const minor = /^\/dev\/drbd(\d+)$/.exec(device)?.[1];
  if (minor === undefined || drbd.is === 'unknown') return null;
  const owner = drbd.value.resources.find(({ volumes }) =>
    volumes.some((one) => one.minor === Number(minor)),
  );
  if (owner) return owner.name === name;
  // one that the kernel has here has other minors
  return drbd.value.resources.some((one) => one.name === name) ? false : null;
}

const isBelow = (path: string, dir: string): boolean => {
  const [inner, outer] = [path, dir].map((one) => `${one.replace(/(?<!\/)\/+$/, '')}/`);
  return inner !== undefined && outer !== undefined && inner.startsWith(outer);
};

function* exports({ cib }: Cluster): Generator<Finding> {
  const exported = cib.primitives.filter(({ type }) => type === 'exportfs');
  for (const { id, members } of cib.groups) {
    const member = (name: string) => cib.primitives.find((one) => one.id === name);
    const address = members.findIndex((name) => /^IPaddr2?$/.test(member(name)?.type ?? ''));
    const last = members.findLastIndex((name) => member(name)?.type === 'exportfs');
    const [ip, after] = [member(members[address] ?? ''), members[last]];
    if (ip && after !== undefined && address < last)
      yield finding(
        'ADDRESS_FIRST',
        { group: id, ip: ip.parameters['ip'] ?? ip.id, export: after, resource: ip.id },
        { resource: id, ...setting('cibadmin', members.join(', ')) },
      );
  }
  for (const server of cib.primitives.filter(({ type }) => type === 'nfsserver')) {
    const infodir = server.parameters['nfs_shared_infodir'];
    const around = exported
      .map(({ parameters }) => parameters['directory'] ?? '')
      .find((dir) => dir !== '' && infodir && isBelow(infodir, dir));
    if (infodir && around)
      yield finding('INFODIR_EXPORTED', { infodir, export: around }, { resource: server.id });
  }
  const seen = new Map<string, Primitive>();
  for (const one of exported) {
    const fsid = one.parameters['fsid'] ?? /(?:^|,)fsid=([^,]+)/.exec(one.parameters['options'] ?? '')?.[1];
    if (fsid === undefined) {
      yield finding('NO_FSID', { resource: one.id }, { resource: one.id });
      continue;
    }
    const other = seen.get(fsid);
    // One directory for several clients has one fsid.
    if (other && other.parameters['directory'] !== one.parameters['directory'])
      yield finding('FSID_TWICE', { resource: other.id, other: one.id, fsid }, { resource: one.id });
    seen.set(fsid, one);
  }
}

function* versions({ nodes }: Cluster): Generator<Finding> {
  const told = nodes.filter(({ online, featureSet }) => online && featureSet !== null);
  const different = new Set(told.map(({ featureSet }) => featureSet));
  const text = told.map(({ name, featureSet }) => `${name} ${featureSet}`).join(', ');
  if (different.size > 1)
    yield finding('VERSIONS_DIFFER', { what: 'Pacemaker', versions: text }, setting('crm_mon', text));
}

function* drbd(facts: Facts, cluster: Cluster, setup: Setup): Generator<Finding> {
  const { cib, nodes } = cluster;
  const major = facts.drbd.is === 'known' ? Number.parseInt(facts.drbd.value.version ?? '9', 10) || 9 : 9;
  for (const { id, clone, name: resource } of replicated(cluster)) {
    const known = setup.drbd.get(resource);
    if (known?.is !== 'known') continue;
    const configuration = known.value;
    const { missing, handlers, discarding } = configuration;
    const timeout =
      cib.primitives.find((one) => one.id === id)?.operations.find(({ name }) => name === 'promote')
        ?.timeout ?? null;
    const audited = findingsInDrbd({
      resource,
      configuration,
      major,
      missing,
      id,
      promoteSeconds: timeout === null ? declaredPromoteSeconds : secondsIn(timeout),
      promotedMax: Number(cib.clones.find((one) => one.id === clone)?.meta['promoted-max'] ?? 1),
      nodes: nodes.map((node) => node.name),
    });
    // the configuration belongs to both nodes, its programs to this one
    for (const one of audited) yield one.code === 'DRBD_HANDLER_MISSING' ? { ...one, node: facts.node } : one;
    const place = (text: string) => ({ resource, ...setting(`drbdadm dump ${resource}`, text) });
    const agent = cib.primitives.find((one) => one.id === id)?.agent ?? '';
    const isTold = agent === 'ocf:tsha:drbd' && cib.alerts.some(tellsOfSplitBrain);
    if (!handlers.has('split-brain') && !isTold)
      yield finding('SPLIT_BRAIN_SILENT', { resource }, place('no handler split-brain'));
    // what nobody has changed is no loss
    const policy = discarding.filter((one) => !/ discard-zero-changes$/.test(one)).join(', ');
    if (policy !== '') yield finding('AFTER_SB_DISCARDS', { resource, policy }, place(policy));
  }
}

/** An alert hears of a split brain by the attribute of tsha's drbd agent; ours writes it down, and tells whoever is its recipient. */
const tellsOfSplitBrain = ({ path, recipients, hearsAttributes }: Alert): boolean =>
  hearsAttributes && (path !== alertAgent || recipients.length > 0);

function* alerts({ cib }: Cluster): Generator<Finding> {
  if (!cib.alerts.some(({ path }) => path === alertAgent))
    yield finding('NO_ALERT', { path: alertAgent }, setting('cibadmin', `no alert ${alertAgent}`));
}

const defaultSeconds = 90;

function* nfs(facts: Facts, { firewall, delegatesClaims }: Setup): Generator<Finding> {
  const servers =
    facts.cluster.is === 'known'
      ? facts.cluster.value.cib.primitives.filter(({ type }) => nfsServer.test(type))
      : [];
  const [server] = servers;
  if (!server) return;
  if (delegatesClaims.is === 'unknown')
    yield couldNot(facts.node, 'whether leases are on', delegatesClaims.why);
  else if (delegatesClaims.value)
    for (const { id, agent } of servers)
      if (agent !== 'ocf:tsha:nfsserver')
        yield finding(
          'CLAIMS_DELEGATED',
          { agent },
          { node: facts.node, resource: id, ...setting('sysctl fs.leases-enable', '1') },
        );
  const settings = facts.nfs.is === 'known' ? facts.nfs.value.settings : facts.nfs;
  if (settings.is === 'unknown') {
    yield couldNot(facts.node, 'the settings of the NFS server', settings.why);
    return;
  }
  const { graceSeconds, leaseSeconds, lockGraceSeconds, v3, randomPorts, ports: fixed } = settings.value;
  const place = {
    node: facts.node,
    ...setting('nfs.conf', `grace-time ${graceSeconds}, lease-time ${leaseSeconds}`),
  };
  if (graceSeconds >= defaultSeconds) yield finding('GRACE_DEFAULT', { grace: graceSeconds }, place);
  if (v3 && lockGraceSeconds !== null && lockGraceSeconds > graceSeconds)
    yield finding(
      'LOCKD_GRACE_LONG',
      { lockd: lockGraceSeconds, grace: graceSeconds, resource: server.id },
      { ...place, resource: server.id },
    );
  if (graceSeconds < leaseSeconds)
    yield finding('GRACE_BELOW_LEASE', { grace: graceSeconds, lease: leaseSeconds }, place);
  const wall = firewall.is === 'known' ? firewall.value : null;
  const daemons = randomPorts.join(', ');
  if (randomPorts.length > 0)
    yield wall
      ? finding('FIREWALL_RANDOM_PORTS', { daemons }, place)
      : finding('RANDOM_PORTS', { daemons }, place);
  const closed = fixed.filter(
    ({ port }) => wall && !wall.named.some(([first, last]) => port >= first && port <= last),
  );
  if (closed.length > 0) {
    const ports = closed.map(({ daemon, port }) => `${port} (${daemon})`).join(', ');
    yield finding('FIREWALL_CLOSED', { ports }, { ...place, ...setting('nft list ruleset', 'no rule') });
  }
}

function* boot(
  facts: Facts,
  cluster: Cluster | null,
  { atBoot, mountUnits, fstab, kernels }: Setup,
): Generator<Finding> {
  const place = { node: facts.node };
  const has = (type: RegExp) => cluster?.cib.primitives.some((one) => type.test(one.type)) === true;
  for (const unit of atBoot.is === 'known' ? atBoot.value : []) {
    const ofDrbd = /^drbd/.test(unit);
    if (!has(ofDrbd ? /^drbd$/ : nfsServer)) continue;
    if (!unit.endsWith('.service')) yield finding('SCRIPT_AT_BOOT', { script: unit }, place);
    else yield ofDrbd ? finding('DRBD_AT_BOOT', {}, place) : finding('NFS_SERVER_AT_BOOT', { unit }, place);
  }
  for (const { id, type, parameters } of cluster?.cib.primitives ?? []) {
    if (type !== 'Filesystem') continue;
    const line = (fstab.is === 'known' ? fstab.value : []).find(
      ({ device, directory, isAutomatic }) =>
        isAutomatic && (device === parameters['device'] || directory === parameters['directory']),
    );
    if (line)
      yield finding(
        'FSTAB',
        { device: line.device, resource: id },
        { ...place, ...setting('/etc/fstab', `${line.device} ${line.directory}`) },
      );
  }
  for (const { id, type, parameters } of cluster?.cib.primitives ?? [])
    for (const { unit, device, directory } of mountUnits.is === 'known' ? mountUnits.value : [])
      if (type === 'Filesystem' && (device === parameters['device'] || directory === parameters['directory']))
        yield finding(
          'MOUNT_UNIT',
          { unit, resource: id },
          { ...place, ...setting(`/etc/systemd/system/${unit}`, `${device} ${directory}`) },
        );
  if (!has(/^drbd$/) || kernels.is === 'unknown') return;
  const version = facts.drbd.is === 'known' ? facts.drbd.value.version : null; // null while no module is loaded
  const next = kernels.value.toSorted((one, other) => byVersion(other.name, one.name))[0];
  const isNine = version !== null && Number.parseInt(version, 10) >= 9;
  if (next && !(isNine ? next.hasOwnDrbd : next.hasDrbd))
    yield finding('KERNEL_WITHOUT_DRBD', { kernel: next.name, version: version ?? '8.4/9' }, place);
}

/** `6.1.0-9` before `6.1.0-13`. */
const byVersion = (one: string, other: string): number => one.localeCompare(other, 'en', { numeric: true });
