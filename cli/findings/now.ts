import { catalogue } from '../../lib/findings/catalogue.ts';
import { type Finding, finding } from '../../lib/findings/finding.ts';
import { lockDir, lockFileIn } from '../facts/at-work.ts';
import { type Cib, metaOf } from '../facts/cib.ts';
import { type Cluster, isNotHere, startedOn } from '../facts/cluster.ts';
import type { Drbd, DrbdResource, Peer, PeerVolume } from '../facts/drbd.ts';
import type { Facts } from '../facts/gather.ts';
import type { Known } from '../facts/known.ts';
import { isOn, type Migration, markOf } from '../facts/migration.ts';
import { peerLabel } from '../facts/peers.ts';
import {
  canTakeOver,
  hasSecondCopy,
  isExpected,
  isTwice,
  nfsServer,
  replicated,
  runningTwice,
  services,
  stoppedClones,
} from '../facts/service.ts';
import { amount, clock, duration } from '../output/units.ts';
import { barredNodes } from './barred.ts';
import { couldNot } from './unknown.ts';

/** What is wrong at this moment. */
export function findingsNow(facts: Facts): readonly Finding[] {
  const { cluster, drbd } = facts;
  const unseen = drbd.is === 'known' ? [...primariesUnseen(facts, drbd.value)] : [];
  const found = [
    ...unseen,
    ...(cluster.is === 'known'
      ? clusterFindings(facts, cluster.value)
      : [clusterUnknown(facts.node, cluster.why)]),
    ...(drbd.is === 'known'
      ? [...drbdFindings(facts, drbd.value), ...drbdMissing(facts, drbd.value)]
      : drbdUnknown(facts, drbd)),
    ...(cluster.is === 'known' ? constraintFindings(facts, cluster.value) : []),
    ...nfsFindings(facts),
    ...brokenOff(facts),
  ];
  // whoever is Primary may be serving
  const told = unseen.length > 0 ? found.filter(({ code }) => code !== 'NOT_SERVING') : found;
  const isWell = told.every(({ code }) => catalogue[code].severity === 'hint');
  return isWell && cluster.is === 'known' ? [...told, ...notSafe(facts, cluster.value)] : told;
}

/** Where nothing else says why one loss more would be too much. */
function* notSafe(facts: Facts, cluster: Cluster): Generator<Finding> {
  if (replicated(cluster).length === 0) return;
  const copy = hasSecondCopy(facts);
  if (copy === false) yield finding('NO_SECOND_COPY', {});
  if (copy === null)
    yield couldNot(
      facts.node,
      'whether there is a second copy',
      'DRBD is not on this node, and its agents have published nothing',
    );
  for (const { id, name, node } of services(cluster))
    if (copy === true && node !== null && !canTakeOver(cluster, node))
      yield finding('NO_TAKE_OVER', { service: name, node }, { node, resource: id });
}

/** Who has the data by DRBD's word, and is no member of the cluster by Pacemaker's. */
function* primariesUnseen(facts: Facts, { resources }: Drbd): Generator<Finding> {
  for (const resource of resources)
    for (const peer of resource.peers) {
      const name = peerLabel(facts, resource, peer);
      if (peer.role === 'Primary' && peer.connection === 'Connected' && isOffline(facts, name))
        yield finding(
          'PRIMARY_UNSEEN',
          { resource: resource.name, peer: name },
          { node: name, resource: resource.name },
        );
    }
}

const isOffline = ({ cluster }: Facts, name: string): boolean =>
  cluster.is === 'known' && cluster.value.nodes.some((node) => node.name === name && !node.online);

const clusterUnknown = (node: string, why: string): Finding =>
  isNotHere(why)
    ? finding('CLUSTER_NOT_HERE', { reason: why }, { node })
    : couldNot(node, 'the cluster', why);

/** What it did is told by what it left; that it ended without a word, only by its note. */
function* brokenOff({ atWork, node }: Facts): Generator<Finding> {
  if (isUntold(atWork)) yield couldNot(node, 'whether a command of tsha is at work', atWork.why);
  if (atWork.is === 'unknown' || atWork.value === null || atWork.value.isAlive) return;
  const file = lockFileIn(lockDir);
  const evidence = [{ source: file, text: `pid ${atWork.value.pid} is gone` }];
  yield finding('COMMAND_BROKEN_OFF', { command: atWork.value.what, file }, { node, evidence });
}

type Unknown = Extract<Known<unknown>, { readonly is: 'unknown' }>;

/** Whether something did not answer that should have. */
const isUntold = (fact: Known<unknown>): fact is Unknown => fact.is === 'unknown' && !fact.isNoWonder;

/** A member of haclient may not ask DRBD; what the agents have published may be enough. */
function drbdUnknown(facts: Facts, drbd: Unknown): readonly Finding[] {
  const wanted = facts.cluster.is === 'known' ? replicated(facts.cluster.value).length > 0 : true;
  return wanted && (isUntold(drbd) || hasSecondCopy(facts) !== true)
    ? [couldNot(facts.node, 'the state of DRBD', drbd.why)]
    : [];
}

function* clusterFindings(facts: Facts, cluster: Cluster): Generator<Finding> {
  const { time } = facts;
  const seen = (text: string) => ({ evidence: [{ source: 'crm_mon', text }] });
  if (!cluster.hasQuorum) {
    const policy = cluster.cib.properties['no-quorum-policy'] ?? 'stop';
    yield finding('NO_QUORUM', { policy }, seen(`DC ${cluster.dc ?? 'none'}, without quorum`));
  } else if (cluster.dc === null) yield finding('NO_DC', {}, seen('no DC'));
  for (const { id, name, state, missing, ticket } of services(cluster)) {
    if (ticket !== null) yield finding('TICKET_ELSEWHERE', { service: name, ticket }, { resource: id });
    if (state === 'down' || state === 'moving')
      yield finding(
        'NOT_SERVING',
        { service: name, resource: missing?.resource ?? id, state: missing?.role ?? state },
        {
          resource: missing?.resource ?? id,
          ...seen(`${missing?.resource ?? id}: ${missing?.role ?? state}`),
        },
      );
  }
  for (const { id, resource, role } of stoppedClones(cluster))
    yield finding('CLONE_DOWN', { clone: id, resource, role }, { resource, ...seen(`${resource}: ${role}`) });
  for (const { id, nodes } of runningTwice(cluster))
    yield finding(
      'RUNS_TWICE',
      { resource: id, nodes: nodes.join(', ') },
      { resource: id, ...seen(`${id}: ${nodes.join(', ')}`) },
    );
  yield* barredNodes(facts, cluster.cib);
  for (const node of cluster.nodes) {
    const { name } = node;
    if (node.unclean)
      yield finding('NODE_UNCLEAN', { node: name }, { node: name, ...seen(`${name}: UNCLEAN`) });
    else if (!node.online && node.isMember)
      yield finding('NODE_OFFLINE', { node: name }, { node: name, ...seen(`${name}: OFFLINE`) });
    if (node.standby === 'forever') yield finding('NODE_STANDBY', { node: name }, { node: name });
    if (node.standby === 'reboot') yield finding('NODE_STANDBY_UNTIL_REBOOT', { node: name }, { node: name });
    if (node.maintenance && !cluster.maintenance)
      yield finding('NODE_MAINTENANCE', { node: name }, { node: name });
  }
  const { migration, outdated } = cluster.cib;
  const isHalfway = migration !== null || (cluster.maintenance && outdated.length > 0);
  if (isHalfway) yield halfway(cluster, migration);
  if (cluster.maintenance && migration === null)
    yield finding(
      'MAINTENANCE_MODE',
      { scope: cluster.name ?? 'the cluster' },
      seen('maintenance-mode=true'),
    );
  for (const one of cluster.instances) {
    const place = { node: one.node ?? undefined, resource: one.id };
    if (one.blocked) yield finding('RESOURCE_BLOCKED', { resource: one.id, node: one.node ?? '?' }, place);
  }
  yield* unmanaged(cluster);
  const { primitives, groups, clones, defaults } = cluster.cib;
  for (const { id, meta } of [...primitives, ...groups, ...clones]) {
    const role = meta['target-role'] ?? '';
    if (isHeldBack(role)) yield finding('RESOURCE_DISABLED', { resource: id, role }, { resource: id });
  }
  const role = defaults['target-role'] ?? '';
  if (isHeldBack(role))
    yield finding(
      'DISABLED_BY_DEFAULT',
      { role },
      { evidence: [{ source: 'rsc_defaults', text: `target-role=${role}` }] },
    );
  for (const { resource, node, action, reason, at } of cluster.failures)
    yield finding(
      'RESOURCE_FAILED',
      { resource, node, action, reason, when: at === null ? '?' : clock(at, time) },
      { node, resource, evidence: [{ source: `${resource} ${action} on ${node}`, text: reason }] },
    );
}

const isHeldBack = (role: string): boolean => /^(stopped|slave|unpromoted)$/i.test(role);

/** Where the maintenance mode is somebody else's, by what was written down by another agent. */
function halfway({ cib, nodes }: Cluster, migration: Migration | null): Finding {
  const [first] = cib.outdated;
  const agent = cib.primitives.find(({ id }) => id === first?.resource)?.agent ?? '';
  const to = migration?.to ?? (agent.startsWith('ocf:tsha:') ? 'tsha' : 'stock');
  const back = to === 'tsha' ? 'stock' : 'tsha';
  const node = migration?.node ?? nodes.map(({ name }) => name).join(', ');
  const evidence = migration
    ? [{ source: 'crm_config', text: markOf(migration) }]
    : [{ source: 'cibadmin', text: `${first?.resource}: ${first?.agent} → ${agent}` }];
  return finding('MIGRATION_UNFINISHED', { to, back, node }, { evidence });
}

/** Whose it is not: of a group or clone that says so for its members, that one, once. */
function* unmanaged(cluster: Cluster): Generator<Finding> {
  const { cib } = cluster;
  const told = new Set<string>();
  for (const one of cluster.instances) {
    if (one.managed || cluster.maintenance || isNodeInMaintenance(cluster, one.node)) continue;
    const found = whyUnmanaged(cib, one.id);
    // a stop that failed makes it so, and is told
    if (!found && one.blocked) continue;
    const resource = found?.holder ?? one.id;
    const key = found?.holder === null ? found.name : resource;
    if (told.has(key)) continue;
    told.add(key);
    const place = { node: one.node ?? undefined, resource };
    if (found?.holder === null)
      yield finding('UNMANAGED_BY_DEFAULT', { name: found.name, value: found.value });
    else if (found?.name === 'maintenance') yield finding('RESOURCE_MAINTENANCE', { resource }, place);
    else yield finding('RESOURCE_UNMANAGED', { resource }, place);
  }
}

/** The meta attribute that keeps Pacemaker from a resource; `maintenance` wins against `is-managed`. */
function whyUnmanaged(cib: Cib, id: string) {
  const primitive = cib.primitives.find((one) => one.id === id);
  if (!primitive) return undefined;
  for (const [name, is] of [
    ['maintenance', true],
    ['is-managed', false],
  ] as const) {
    const found = metaOf(cib, primitive, name);
    if (found && isOn(found.value) === is) return { name, ...found };
  }
  return undefined;
}

const isNodeInMaintenance = ({ nodes }: Cluster, name: string | null): boolean =>
  nodes.some((node) => node.name === name && node.maintenance);

function* constraintFindings({ time, drbd }: Facts, cluster: Cluster): Generator<Finding> {
  for (const { id, resource, node, score, endsAt } of cluster.cib.locations) {
    const evidence = [
      { source: 'cibadmin', text: `rsc_location ${id}: ${resource}, ${node ?? '?'}, ${score}` },
    ];
    const place = { node: node ?? undefined, resource, evidence };
    const facts = { constraint: id, resource, node: node ?? '?' };
    if (/^cli-(prefer|ban|standby)-/.test(id) && endsAt !== null) {
      const code = /^cli-prefer-/.test(id) ? 'SWITCH_UNFINISHED' : 'BANNED_FOR_NOW';
      if (endsAt > time)
        yield finding(code, { resource, node: node ?? '?', until: clock(endsAt, time) }, place);
    } else if (/^cli-prefer-/.test(id)) yield finding('MOVE_LEFT_BEHIND', facts, place);
    else if (/^cli-(ban|standby)-/.test(id)) yield finding('BAN_LEFT_BEHIND', facts, place);
    else if (/^drbd-fence-by-handler-/.test(id)) {
      const name = replicated(cluster).find(
        (one) => (one.clone ?? one.id) === resource || id.includes(`-${one.name}-`),
      )?.name;
      const state = drbd.is === 'known' ? drbd.value.resources.find((one) => one.name === name) : undefined;
      const known = { constraint: id, resource: name ?? resource };
      yield state && isTwice(state)
        ? finding('FENCE_LEFT_BEHIND', known, place)
        : finding('PEER_FENCED', known, place);
    }
  }
}

function* drbdFindings(facts: Facts, { resources }: Drbd): Generator<Finding> {
  for (const resource of resources) {
    const place = { node: facts.node, resource: resource.name };
    if (resource.suspended.length > 0)
      yield finding(
        'WRITES_SUSPENDED',
        { resource: resource.name, reason: resource.suspended.join(', ') },
        place,
      );
    if (resource.volumes.some(({ quorum }) => !quorum))
      yield finding('DRBD_QUORUM_LOST', { resource: resource.name }, place);
    for (const { volume, disk, client } of resource.volumes) {
      const name = resource.volumes.length > 1 ? `${resource.name}/${volume}` : resource.name;
      const is = { resource: name, node: facts.node, disk };
      const evidence = [{ source: 'drbdsetup', text: `${name}: disk:${disk}` }];
      if ((disk === 'Diskless' || disk === 'Failed') && !client)
        yield finding('DISK_LOST', is, { ...place, evidence });
      else if (disk !== 'UpToDate' && !client && !isBeingCopied(resource, volume))
        yield finding('COPY_OLD', is, { ...place, evidence });
    }
    for (const peer of resource.peers) yield* peerFindings(facts, resource, peer);
  }
}

/** What the cluster believes to run here, and the kernel does not have. */
function* drbdMissing({ cluster, node }: Facts, { resources }: Drbd): Generator<Finding> {
  if (cluster.is === 'unknown' || cluster.value.maintenance) return;
  for (const { id, name } of replicated(cluster.value))
    if (name !== '' && isExpected(cluster.value, id, node) && !resources.some((one) => one.name === name))
      yield finding('DRBD_DOWN', { resource: id, name, node }, { node, resource: id });
}

const isBeingCopied = ({ peers }: DrbdResource, volume: number): boolean =>
  peers.some(({ volumes }) => volumes.some((one) => one.volume === volume && isSync(one)));
const isSync = ({ replication }: PeerVolume): boolean =>
  /^(?:Sync|PausedSync|WFBitMap|Ahead|Behind)/.test(replication);

function* peerFindings(facts: Facts, resource: DrbdResource, peer: Peer): Generator<Finding> {
  const name = peerLabel(facts, resource, peer);
  const place = { node: facts.node, resource: resource.name };
  if (peer.splitBrain) {
    const { hereKiB, thereKiB, generationHere, generationThere } = peer.splitBrain;
    yield finding(
      'SPLIT_BRAIN',
      {
        resource: resource.name,
        here: facts.node,
        peer: name,
        mine: amount(hereKiB),
        theirs: amount(thereKiB),
      },
      {
        ...place,
        evidence: [
          {
            source: 'kernel log',
            text: `generation ${generationHere ?? '?'} here, ${generationThere ?? '?'} there`,
          },
        ],
      },
    );
  } else if (peer.connection === 'StandAlone')
    yield finding('STANDALONE', { resource: resource.name, peer: name }, place);
  else if (peer.connection !== 'Connected') {
    if (!isAway(facts, name))
      yield finding('DISCONNECTED', { resource: resource.name, peer: name, state: peer.connection }, place);
  } else
    for (const volume of peer.volumes) {
      const label = resource.volumes.length > 1 ? `${resource.name}/${volume.volume}` : resource.name;
      const direction = /Target$|Behind/.test(volume.replication) ? '←' : '→';
      const { donePercent, leftSeconds, replication, disk, client } = volume;
      const is = { resource: label, direction, peer: name };
      if (/^Sync|^WFBitMap/.test(replication))
        yield finding(
          'SYNCING',
          {
            ...is,
            done: donePercent === null ? '?' : `${donePercent} %`,
            left: leftSeconds === null ? '?' : duration(leftSeconds),
          },
          place,
        );
      else if (isSync(volume)) yield finding('SYNC_PAUSED', { ...is, state: replication }, place);
      else if (disk === 'Diskless' && !client)
        yield finding('DISK_LOST', { resource: label, node: name, disk }, { ...place, node: name });
      else if (disk !== 'UpToDate' && !client)
        yield finding('COPY_OLD', { resource: label, node: name, disk }, { ...place, node: name });
    }
}

/** Why it cannot be reached is told already. */
const isAway = ({ cluster }: Facts, name: string): boolean =>
  cluster.is === 'known' &&
  cluster.value.nodes.some((node) => node.name === name && (!node.online || node.standby !== 'no'));

function* nfsFindings({ cluster, nfs, node, addresses, mounted }: Facts): Generator<Finding> {
  if (cluster.is === 'unknown') return;
  const { maintenance } = cluster.value;
  const here = (type: RegExp) => startedOn(cluster.value, node, type);
  for (const { id, parameters } of here(/^IPaddr2?$/)) {
    const ip = parameters['ip'] ?? '';
    const isThere = addresses.get(id);
    if (isThere && isUntold(isThere)) yield couldNot(node, `whether this node has ${ip}`, isThere.why);
    if (isThere?.is === 'known' && !isThere.value && !maintenance)
      yield finding('ADDRESS_MISSING', { resource: id, ip }, { node, resource: id });
  }
  const filesystems = here(/^Filesystem$/);
  if (filesystems.length > 0 && isUntold(mounted)) yield couldNot(node, 'what is mounted', mounted.why);
  for (const { id, parameters } of filesystems) {
    const directory = parameters['directory'] ?? '?';
    if (mounted.is === 'known' && !mounted.value.has(id) && !maintenance)
      yield finding('MOUNT_MISSING', { resource: id, directory, node }, { node, resource: id });
  }
  const servers = here(nfsServer);
  if (servers.length > 0 && isUntold(nfs)) yield couldNot(node, 'the NFS server', nfs.why);
  if (nfs.is === 'unknown') return;
  const { threads, clients, grace } = nfs.value;
  for (const { id } of threads === 0 ? servers : [])
    yield finding('NFSD_DEAD', { resource: id }, { node, resource: id });
  if (servers.length > 0) {
    const untold = { 'the clients': clients, 'the grace period': grace };
    const subjects = Object.entries<Known<unknown>>(untold).filter(([, fact]) => isUntold(fact));
    const [first] = subjects.map(([, fact]) => fact).filter(isUntold);
    const names = subjects.map(([name]) => name).join(' and ');
    if (first) yield couldNot(node, `${names} of the NFS server`, first.why);
  }
  if (grace.is === 'known' && grace.value === 'running') yield finding('GRACE', {}, { node });
}
