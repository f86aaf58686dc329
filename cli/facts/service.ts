import { type Cib, isBond, isPromotedRole, type Location, metaOf, type Primitive } from './cib.ts';
import type { Cluster, Instance } from './cluster.ts';
import type { Drbd, DrbdResource } from './drbd.ts';
import type { Facts } from './gather.ts';

/** What clients use: a group, or a resource that stands alone. */
export type Service = {
  readonly id: string;
  /** What clients know it by: an address, else the id. */
  readonly name: string;
  readonly members: readonly string[];
  /** Where all of it runs. */
  readonly node: string | null;
  /** Where any of it runs, unless that is more than one node. */
  readonly at: string | null;
  readonly state: 'served' | 'moving' | 'down' | 'off';
  /** The first member that does not run well, and its role, or `failed`. */
  readonly missing: { readonly resource: string; readonly role: string } | null;
  /** What it is off for: this site does not have it. */
  readonly ticket: string | null;
  /** Since when its last member runs there, in milliseconds since 1970. */
  readonly since: number | null;
};

const isFencing = ({ agent }: { readonly agent: string }): boolean => agent.startsWith('stonith:');

/** Groups and lone resources, fencing devices and clones apart. */
export function services(cluster: Cluster): readonly Service[] {
  const { cib } = cluster;
  const plain = cib.primitives.filter((one) => one.clone === null && !isFencing(one));
  const ids = [...new Set(plain.map(({ group, id }) => group ?? id))];
  return ids.map((id) => {
    const members = plain.filter((one) => (one.group ?? one.id) === id);
    return service(id, members, cluster);
  });
}

function service(id: string, members: readonly Primitive[], cluster: Cluster): Service {
  const address = members.find(({ type }) => /^IPaddr2?$/.test(type))?.parameters['ip'];
  const places = members.map((member) => placeOf(cluster, member.id));
  const missing = places.find(({ role, node, failed }) => role !== 'Started' || node === null || failed);
  const own = new Set([
    id,
    ...members.map((one) => one.id),
    ...besideOf(cluster, id).flatMap((one) => [one.id, one.clone ?? one.id]),
  ]);
  const ticket = cluster.cib.tickets.find((one) => own.has(one.resource) && !one.isGranted)?.ticket ?? null;
  // members of a group wait for those before them
  const isOff =
    missing !== undefined && !missing.active && (ticket !== null || isSwitchedOff(cluster, missing));
  const nodes = new Set(places.map(({ node }) => node));
  const node = nodes.size === 1 ? (places[0]?.node ?? null) : null;
  const active = new Set(places.filter((place) => place.active).map((place) => place.node));
  const at = active.size === 1 ? ([...active][0] ?? null) : null;
  // Between two actions nothing is pending, and a move is under way all the same.
  const isMoving =
    cluster.instances.some((one) => own.has(one.id) && isAtWork(one)) ||
    cluster.cib.locations.some(
      (one) => /^cli-(prefer|ban)-/.test(one.id) && own.has(one.resource) && isForNow(one, cluster.askedAt),
    );
  const state = !missing && node !== null ? 'served' : isMoving ? 'moving' : isOff ? 'off' : 'down';
  const begun = members.map(({ id: member }) => (node === null ? null : startedAt(cluster, member, node)));
  return {
    id,
    name: address ?? id,
    members: members.map((member) => member.id),
    node,
    at,
    state,
    missing: state === 'served' || !missing ? null : { resource: missing.id, role: roleOf(missing) },
    ticket: state === 'off' ? ticket : null,
    since: begun.includes(null) || begun.length === 0 ? null : Math.max(...begun.map(Number)),
  };
}

/** Pacemaker calls Started what runs, and has failed, too. */
const roleOf = ({ role, failed }: Instance): string => (failed && role === 'Started' ? 'failed' : role);

/** Of a constraint: it has an end, which has not come yet. */
const isForNow = ({ endsAt }: Location, now: number | null): boolean =>
  endsAt !== null && (now === null || endsAt > now);

const isStopped = (role: string | undefined): boolean => /^stopped$/i.test(role ?? '');

/** On purpose: by what is around it, or by its own target-role, which Pacemaker has worked out where it tells. */
function isSwitchedOff({ cib }: Cluster, { id, targetRole }: Instance): boolean {
  const primitive = cib.primitives.find((one) => one.id === id);
  const around = [...cib.groups, ...cib.clones].filter(({ members }) => members.includes(id));
  const own = targetRole ?? (primitive && metaOf(cib, primitive, 'target-role')?.value);
  return around.some(({ meta }) => isStopped(meta['target-role'])) || isStopped(own);
}

/** A clone that is to run, and of which nothing does: what it waits for is told by its role. */
export type StoppedClone = { readonly id: string; readonly resource: string; readonly role: string };

/** Clones and bundles of which some member runs nowhere, though nobody has switched it off and no ticket is elsewhere. */
export const stoppedClones = (cluster: Cluster): readonly StoppedClone[] =>
  cluster.cib.clones.flatMap(({ id, members }) => {
    const stopped = members.flatMap((member) => {
      const all = cluster.instances.filter((one) => one.id === member);
      const [first] = all;
      const waits = cluster.cib.tickets.some((one) => [id, member].includes(one.resource) && !one.isGranted);
      const isDown =
        !waits &&
        all.every((one) => !one.active && one.managed && !isAtWork(one) && !isSwitchedOff(cluster, one));
      return first && isDown ? [first] : [];
    });
    const [first] = stopped;
    return first ? [{ id, resource: first.id, role: first.role }] : [];
  });

/** What runs at several places, and is no clone: two of them write, or answer, at once. */
export const runningTwice = ({
  cib,
  instances,
}: Cluster): readonly { readonly id: string; readonly nodes: readonly string[] }[] =>
  cib.primitives
    .filter(({ clone }) => clone === null)
    .flatMap(({ id }) => {
      const active = instances.filter((one) => one.id === id && one.active);
      const nodes = [...new Set(active.flatMap(({ node }) => node ?? []))];
      // Pacemaker has both sides of a live migration active for its time
      const isMigrating = active.some(({ pending }) => /^Migrating/.test(pending ?? ''));
      return nodes.length > 1 && !isMigrating ? [{ id, nodes }] : [];
    });

/** Whether an action but a monitor is under way for it. */
export const isAtWork = ({ role, pending }: Pick<Instance, 'role' | 'pending'>): boolean =>
  /ing$/.test(role) || (pending ?? 'Monitoring') !== 'Monitoring';

const nowhere = (id: string): Instance => ({
  id,
  agent: '',
  role: 'Stopped',
  node: null,
  active: false,
  failed: false,
  blocked: false,
  managed: true,
  orphaned: false,
  pending: null,
  targetRole: null,
});

const placeOf = (cluster: Cluster, id: string): Instance => {
  const found = cluster.instances.filter((one) => one.id === id);
  return found.find(({ active }) => active) ?? found[0] ?? nowhere(id);
};

/** Of the last start that went well, or of the probe that found it running. */
function startedAt(cluster: Cluster, resource: string, node: string): number | null {
  const done = cluster.cib.operations.filter((one) => one.resource === resource && one.node === node);
  const start = done.find(({ action, code }) => action === 'start' && code === 0);
  const probe = done.find(
    ({ action, interval, code }) => action === 'monitor' && interval === 0 && code === 0,
  );
  return (start ?? probe)?.at ?? null;
}

/** What of the service runs on a node: all but fencing devices and clones, and what is promoted there, or about to be. Orphans are of it. */
export function runsOn({ cib, instances }: Cluster, node: string): readonly string[] {
  const cloned = new Set(cib.clones.flatMap(({ members }) => members));
  const found = instances.filter(
    (one) =>
      one.node === node &&
      one.active &&
      !isFencing(one) &&
      (!cloned.has(one.id) || one.role === 'Promoted' || one.pending === 'Promoting'),
  );
  return [...new Set(found.map(({ id }) => id))];
}

/** A resource of DRBD's that the cluster looks after. */
export type Replicated = {
  readonly id: string;
  readonly clone: string | null;
  readonly name: string;
};

export const replicated = ({ cib }: Pick<Cluster, 'cib'>): readonly Replicated[] =>
  cib.primitives
    .filter(({ type }) => type === 'drbd')
    .map(({ id, clone, parameters }) => ({ id, clone, name: parameters['drbd_resource'] ?? '' }));

/** What Pacemaker places as one: the clone or the group of a resource, or the resource itself. */
function unitOf({ primitives, groups }: Cib, id: string): string {
  const inside = groups.find((one) => one.id === id)?.members[0] ?? id;
  const found = primitives.find((one) => one.id === inside);
  return found?.clone ?? found?.group ?? id;
}

/** Units, of which the one runs only where the other does; `isPromoted`: where that is promoted. */
type Bond = { readonly unit: string; readonly on: string; readonly isPromoted: boolean };

const bondsIn = (cib: Cib): readonly Bond[] =>
  cib.colocations.filter(isBond).map((one) => ({
    unit: unitOf(cib, one.resource),
    on: unitOf(cib, one.with),
    isPromoted: isPromotedRole(one.withRole),
  }));

/** Everything that is reached from there, itself included. */
function reached(from: readonly string[], next: (unit: string) => readonly string[]): ReadonlySet<string> {
  const all = new Set(from);
  for (const unit of all) for (const other of next(unit)) all.add(other);
  return all;
}

/** What places a unit: beside any instance of a promotable clone it may be where none is promoted, and stay when that moves. */
const tiesIn = (cib: Cib): readonly Bond[] => {
  const promotable = new Set(cib.clones.filter((one) => one.promotable).map(({ id }) => id));
  return bondsIn(cib).filter(({ on, isPromoted }) => isPromoted || !promotable.has(on));
};

/** What a unit runs with, directly or by others, itself included. */
const holdersOf = (bonds: readonly Bond[], unit: string): ReadonlySet<string> =>
  reached([unit], (one) => bonds.flatMap((bond) => (bond.unit === one ? bond.on : [])));

/** The DRBDs that a unit runs with, promoted or not. */
export const besideOf = ({ cib }: Pick<Cluster, 'cib'>, unit: string): readonly Replicated[] => {
  const holders = holdersOf(bondsIn(cib), unit);
  return replicated({ cib }).filter(({ clone }) => clone !== null && holders.has(clone));
};

/** The DRBDs whose promoted instance a unit runs with. */
export const leadersOf = ({ cib }: Pick<Cluster, 'cib'>, unit: string): readonly Replicated[] => {
  const ties = tiesIn(cib);
  const holders = holdersOf(ties, unit);
  return replicated({ cib }).filter(({ clone }) =>
    ties.some((tie) => tie.isPromoted && tie.on === clone && holders.has(tie.unit)),
  );
};

/** The DRBD whose promoted instance a service runs with. */
export const leaderOf = (cluster: Cluster, { id }: Service): Replicated | undefined =>
  leadersOf(cluster, id)[0];

/** Services that move as one, since they run only where the others do. */
export type Movement = {
  /** The clone whose promotion leads, or the group or resource that the others run with. */
  readonly resource: string;
  readonly leader: Replicated | undefined;
  readonly services: readonly Service[];
};

export function movementOf(cluster: Cluster, service: Service): Movement {
  const { id } = service;
  const all = services(cluster);
  const leader = leaderOf(cluster, service);
  const ties = tiesIn(cluster.cib);
  const holders = [...holdersOf(ties, id)].filter((unit) => all.some((one) => one.id === unit));
  const [root = id, ...others] = holders.filter((unit) =>
    ties.every((tie) => tie.unit !== unit || tie.on === unit || !holders.includes(tie.on)),
  );
  const resource = leader?.clone ?? (others.length === 0 ? root : id);
  const moves = reached([resource, id], (one) => ties.flatMap((tie) => (tie.on === one ? tie.unit : [])));
  return { resource, leader, services: all.filter((one) => moves.has(one.id)) };
}

/** An NFS server of the kernel's, by whichever agent, unit or script. */
export const nfsServer = /^(nfsserver|nfs-server|nfs-kernel-server)(\.service)?$/;

/** Whether Pacemaker has another node that it would start the service on. */
export const canTakeOver = ({ nodes }: Cluster, active: string | null | undefined): boolean =>
  nodes.some(
    ({ name, isMember, online, pending, standby, maintenance }) =>
      name !== active && isMember && online && !pending && standby === 'no' && !maintenance,
  );

/** What a switch may move: services that run with a promoted DRBD, else NFS servers, else all. */
export function movable(cluster: Cluster): readonly Movement[] {
  const all = services(cluster);
  const led = all.filter((one) => leaderOf(cluster, one) !== undefined);
  const servers = cluster.cib.primitives.filter(({ type }) => nfsServer.test(type));
  const serving = all.filter(({ members }) => servers.some(({ id }) => members.includes(id)));
  const chosen = [led, serving].find((some) => some.length > 0) ?? all;
  const found = chosen.map((one) => movementOf(cluster, one));
  return found.filter(({ resource }, index) => found.findIndex((one) => one.resource === resource) === index);
}

/** The role that the cluster believes a node to have. */
export const clusterRole = (cluster: Cluster, id: string, node: string): string | null =>
  cluster.instances.find((one) => one.id === id && one.node === node)?.role ?? null;

/**
 * Whether there are two current copies of everything: by this node's kernel, else by what the agents of all nodes have published.
 * Null when nobody could tell.
 */
export function hasSecondCopy(facts: Facts): boolean | null {
  if (facts.cluster.is === 'unknown') return facts.drbd.is === 'known' ? copiesHere(facts.drbd.value) : null;
  const cluster = facts.cluster.value;
  const wanted = replicated(cluster);
  if (wanted.length === 0) return null;
  const answers = wanted.map((one) => isKeptTwice(facts, cluster, one));
  if (answers.includes(false)) return false;
  // where this node's kernel should have told and did not, what its agents have published is no word of it
  const isMute = facts.drbd.is === 'unknown' && !facts.drbd.isNoWonder;
  return isMute || answers.includes(null) ? null : true;
}

/** The same of one resource. */
export function isKeptTwice(
  { drbd, node }: Facts,
  cluster: Cluster,
  { id, name }: Replicated,
): boolean | null {
  const here = drbd.is === 'known' ? drbd.value.resources.find((one) => one.name === name) : undefined;
  if (here) return isTwice(here);
  // the kernel knows better than the cluster, whose word is as old as the last monitor
  if (drbd.is === 'known' && isExpected(cluster, id, node)) return false;
  return cluster.instances.filter((one) => one.id === id && one.active).length < 2
    ? false
    : published(cluster, id, name);
}

/** Whether the cluster believes that a resource runs on a node. */
export const isExpected = (cluster: Cluster, id: string, node: string): boolean =>
  cluster.instances.some((one) => one.id === id && one.node === node && one.active && !one.pending);

const copiesHere = ({ resources }: Drbd): boolean | null =>
  resources.length === 0 ? null : resources.every(isTwice);

export const isTwice = ({ volumes, peers }: DrbdResource): boolean =>
  volumes.length > 0 &&
  volumes.every(({ volume, disk }) => {
    const others = peers
      .filter(({ connection }) => connection === 'Connected')
      .flatMap((peer) => peer.volumes.filter((one) => one.volume === volume && one.disk === 'UpToDate'));
    return (disk === 'UpToDate' ? 1 : 0) + others.length >= 2;
  });

/** The attribute that ocf:tsha:drbd keeps where it runs: `connected` when all is well. */
function published({ nodes, cib, instances }: Cluster, id: string, name: string): boolean | null {
  const words = nodes
    .filter(({ online }) => online)
    .filter((node) => instances.some((one) => one.id === id && one.node === node.name && one.active))
    .map((node) => cib.nodes.get(node.name)?.transient[`tsha-drbd-${name}`]);
  if (words.length === 0 || words.includes(undefined)) return null;
  return words.length > 1 && words.every((word) => word === 'connected');
}
