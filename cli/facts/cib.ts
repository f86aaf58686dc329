import { isOn, type Migration, migrationIn, outdated, type Recorded } from './migration.ts';
import { promotedIn } from './roles.ts';
import { resolved } from './templates.ts';
import { below, type Element, attribute as of, within } from './xml.ts';

/** The cluster's configuration, as far as people are told of it. */
export type Cib = {
  readonly properties: Values;
  /** Meta attributes of every resource that has none of its own; those that a rule gives at times are left out. */
  readonly defaults: Values;
  readonly primitives: readonly Primitive[];
  readonly groups: readonly Group[];
  readonly clones: readonly Clone[];
  readonly locations: readonly Location[];
  readonly colocations: readonly Colocation[];
  readonly orders: readonly Order[];
  readonly tickets: readonly Ticket[];
  readonly alerts: readonly Alert[];
  /** By the nodes' names. */
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly operations: readonly DoneOperation[];
  /** A change of the agents' provider that has begun and not ended. */
  readonly migration: Migration | null;
  /** What was written down by another agent than the one that is configured. */
  readonly outdated: readonly Recorded[];
  /** The role in the word of this configuration's schema. */
  readonly promoted: string;
};

/** What Pacemaker calls when something happens. */
export type Alert = {
  readonly id: string;
  readonly path: string;
  readonly recipients: readonly string[];
  /** Of attributes it is told only where it asks for them. */
  readonly hearsAttributes: boolean;
};

export type Values = { readonly [name: string]: string };

export type Primitive = {
  readonly id: string;
  /** `ocf:tsha:drbd`, `stonith:fence_ipmilan`, `systemd:nfs-server`. */
  readonly agent: string;
  /** The last part of `agent`. */
  readonly type: string;
  readonly parameters: Values;
  readonly meta: Values;
  readonly operations: readonly Operation[];
  readonly group: string | null;
  readonly clone: string | null;
};

export type Operation = {
  readonly name: string;
  /** As written: `20s`, `0`. */
  readonly interval: string;
  readonly timeout: string | null;
  readonly role: string | null;
};

export type Group = {
  readonly id: string;
  readonly meta: Values;
  /** In the order of their starts. */
  readonly members: readonly string[];
};

/** A clone, or a bundle, whose instances run in containers. */
export type Clone = {
  readonly id: string;
  readonly meta: Values;
  readonly promotable: boolean;
  readonly members: readonly string[];
};

export type Location = {
  readonly id: string;
  readonly resource: string;
  readonly node: string | null;
  readonly score: string;
  /** Milliseconds since 1970; null for a constraint that has no end. */
  readonly endsAt: number | null;
  readonly role: string | null;
};

export type Colocation = {
  readonly resource: string;
  readonly role: string | null;
  readonly with: string;
  readonly withRole: string | null;
  readonly score: string;
};
/** What may run only where a site of the multi-site cluster has a ticket. */
export type Ticket = {
  readonly id: string;
  readonly ticket: string;
  readonly resource: string;
  readonly isGranted: boolean;
};
export type Order = { readonly first: string; readonly firstAction: string; readonly second: string };

/** What the configuration and the status section know of a node. */
export type NodeState = {
  /** `forever` is in the configuration, `reboot` in the attributes that a restart of the cluster manager deletes. */
  readonly standby: 'no' | 'forever' | 'reboot';
  /** All that are set: each has to be taken away. */
  readonly standbys: readonly ('forever' | 'reboot')[];
  readonly maintenance: boolean;
  /** Attributes that last until the node leaves the cluster. */
  readonly transient: Values;
};

/** The end of an action, as the status section keeps it. */
export type DoneOperation = {
  readonly resource: string;
  readonly node: string;
  readonly action: string;
  readonly code: number;
  /** Milliseconds since 1970. */
  readonly at: number | null;
  readonly reason: string;
  readonly interval: number;
};

/** Reads `cibadmin --query`. */
export function readCib(asWritten: Element): Cib {
  const cib = resolved(asWritten);
  const [configuration] = below(cib, 'configuration');
  if (!configuration) throw new Error('the cluster gave no configuration');
  const part = (name: string) => below(configuration, name)[0];
  const [resources, constraints] = [part('resources'), part('constraints')];
  const groups = resources ? within(resources, 'group') : [];
  const clones = resources ? within(resources, 'clone', 'master', 'bundle') : [];
  const inside = (containers: readonly Element[], id: string) =>
    containers.find((one) => within(one, 'primitive').some((member) => of(member, 'id') === id));
  return {
    properties: valuesIn(below(configuration, 'crm_config', 'cluster_property_set')),
    defaults: valuesIn(
      below(configuration, 'rsc_defaults', 'meta_attributes').filter(
        (set) => below(set, 'rule').length === 0,
      ),
    ),
    primitives: (resources ? within(resources, 'primitive') : []).map((element) => {
      const id = of(element, 'id');
      const group = inside(groups, id);
      const clone = inside(clones, id);
      return primitive(element, group && of(group, 'id'), clone && of(clone, 'id'));
    }),
    groups: groups.map((group) => ({
      id: of(group, 'id'),
      meta: valuesIn(below(group, 'meta_attributes')),
      members: membersOf(group),
    })),
    clones: clones.map((clone) => {
      const meta = valuesIn(below(clone, 'meta_attributes'));
      const promotable =
        clone.name === 'master' || meta['promotable'] === 'true' || promotesContainers(clone);
      return { id: of(clone, 'id'), meta, promotable, members: membersOf(clone) };
    }),
    locations: constraints ? below(constraints, 'rsc_location').map(location) : [],
    colocations: constraints ? below(constraints, 'rsc_colocation').flatMap(colocation) : [],
    orders: constraints ? below(constraints, 'rsc_order').flatMap(order) : [],
    tickets: constraints ? below(constraints, 'rsc_ticket').flatMap((one) => ticket(one, cib)) : [],
    alerts: below(configuration, 'alerts', 'alert').map((alert) => ({
      id: of(alert, 'id'),
      path: of(alert, 'path'),
      recipients: below(alert, 'recipient').map((recipient) => of(recipient, 'value')),
      hearsAttributes: below(alert, 'select', 'select_attributes').length > 0,
    })),
    nodes: nodeStates(cib, configuration),
    operations: below(cib, 'status', 'node_state').flatMap(doneOperations),
    migration: migrationIn(cib),
    outdated: outdated(cib),
    promoted: promotedIn(cib),
  };
}

/** `<bundle><podman image=… promoted-max=…/>`, or `docker`, or `rkt`. */
const promotesContainers = (bundle: Element): boolean =>
  bundle.name === 'bundle' &&
  bundle.children.some((one) => Number(of(one, 'promoted-max') || of(one, 'masters')) > 0);

const membersOf = (element: Element): readonly string[] =>
  within(element, 'primitive').map((member) => of(member, 'id'));

/** A meta attribute, and whose it is: the resource's own, its group's, its clone's, or (null) the default of all. */
export function metaOf(
  { groups, clones, defaults }: Cib,
  { id, meta, group, clone }: Primitive,
  name: string,
): { readonly value: string; readonly holder: string | null } | undefined {
  const sets: readonly { readonly id: string | null; readonly meta: Values }[] = [
    { id, meta },
    ...groups.filter((one) => one.id === group),
    ...clones.filter((one) => one.id === clone),
    { id: null, meta: defaults },
  ];
  const found = sets.find((one) => one.meta[name] !== undefined);
  const value = found?.meta[name];
  return found && value !== undefined ? { value, holder: found.id } : undefined;
}

/** Of sets of nvpairs, of which the first counts. */
export const valuesIn = (sets: readonly Element[]): Values =>
  Object.fromEntries(
    sets
      .flatMap((set) => below(set, 'nvpair'))
      .map((pair) => [of(pair, 'name'), of(pair, 'value')])
      .reverse(), // of several the first counts
  );

function primitive(element: Element, group: string | undefined, clone: string | undefined): Primitive {
  const parts = [of(element, 'class'), of(element, 'provider'), of(element, 'type')];
  return {
    id: of(element, 'id'),
    agent: parts.filter(Boolean).join(':'),
    type: of(element, 'type'),
    parameters: valuesIn(below(element, 'instance_attributes')),
    meta: valuesIn(below(element, 'meta_attributes')),
    operations: below(element, 'operations', 'op').map((op) => ({
      name: of(op, 'name'),
      interval: of(op, 'interval') || '0',
      timeout: of(op, 'timeout') || null,
      role: of(op, 'role') || null,
    })),
    group: group ?? null,
    clone: clone ?? null,
  };
}

/** A rule may name the node and an end: `#uname eq alpha`, `date_expression operation=lt end=…`. */
function location(element: Element): Location {
  const expressions = within(element, 'expression');
  const byRule = expressions.find(
    (one) => of(one, 'attribute') === '#uname' && of(one, 'operation') !== 'ne',
  );
  const [date] = within(element, 'date_expression').filter((one) => of(one, 'end') !== '');
  const [rule] = below(element, 'rule');
  return {
    id: of(element, 'id'),
    resource: of(element, 'rsc'),
    node: of(element, 'node') || (byRule && of(byRule, 'value')) || null,
    score: of(element, 'score') || (rule && of(rule, 'score')) || '',
    endsAt: date ? readTime(of(date, 'end')) : null,
    role: of(element, 'role') || (rule && of(rule, 'role')) || null,
  };
}

/** `2026-11-28 19:40:00Z`, `2026-11-28 20:40:00 +01:00` */
export function readTime(text: string): number | null {
  const [, date, time, zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)\s*(Z|[+-]\d\d:?\d\d)?$/.exec(text.trim()) ?? [];
  if (!date) return null;
  const at = Date.parse(`${date}T${time}${zone === 'Z' ? 'Z' : zone.replace(/^(...):?/, '$1:')}`);
  return Number.isNaN(at) ? null : at;
}

/** A set stands for each of its members. */
const setMembers = (set: Element): readonly string[] =>
  below(set, 'resource_ref').map((ref) => of(ref, 'id'));

/** Of two sets the first must be with the second, and within a set each with the one before it. */
function colocation(element: Element): readonly Colocation[] {
  const sets = below(element, 'resource_set');
  const score = of(element, 'score');
  if (sets.length === 0)
    return [
      {
        resource: of(element, 'rsc'),
        role: of(element, 'rsc-role') || null,
        with: of(element, 'with-rsc'),
        withRole: of(element, 'with-rsc-role') || null,
        score,
      },
    ];
  return sets.flatMap((set, index) => {
    const role = of(set, 'role') || null;
    const members = setMembers(set);
    const inside = of(set, 'sequential') === 'false' ? [] : members.slice(1);
    const next = sets[index + 1];
    const withRole = next ? of(next, 'role') || null : null;
    return [
      ...inside.map((resource, at) => ({
        ...{ resource, role, with: members[at] ?? '', withRole: role },
        score: of(set, 'score') || score,
      })),
      ...members.flatMap((resource) =>
        (next ? setMembers(next) : []).map((other) => ({ resource, role, with: other, withRole, score })),
      ),
    ];
  });
}

/** Whether Pacemaker takes a score for one that nothing outweighs, be it for or against. */
export const isInfinite = (score: string): boolean =>
  /^[+-]?INFINITY$/i.test(score) || Math.abs(Number(score)) >= 1_000_000;

const isRunning = (role: string | null): boolean =>
  role === null || /^(started|promoted|master)$/i.test(role);

/** The resource runs only where the other one does, or is promoted: what keeps the two apart, or is a wish, is something else. */
export const isBond = ({ role, withRole, score }: Colocation): boolean =>
  isInfinite(score) && !score.startsWith('-') && isRunning(role) && isRunning(withRole);

export const isPromotedRole = (role: string | null): boolean => /^(promoted|master)$/i.test(role ?? '');

function order(element: Element): readonly Order[] {
  const sets = below(element, 'resource_set');
  if (sets.length === 0) {
    const firstAction = of(element, 'first-action') || 'start';
    return [{ first: of(element, 'first'), firstAction, second: of(element, 'then') }];
  }
  return sets.slice(1).flatMap((set, index) => {
    const before = sets[index];
    const firstAction = before ? of(before, 'action') || 'start' : 'start';
    return (before ? setMembers(before) : []).flatMap((first) =>
      setMembers(set).map((second) => ({ first, firstAction, second })),
    );
  });
}

/** A set stands for each of its members; a ticket that no site was ever given has no state. */
function ticket(element: Element, cib: Element): readonly Ticket[] {
  const name = of(element, 'ticket');
  const [state] = below(cib, 'status', 'tickets', 'ticket_state').filter((one) => of(one, 'id') === name);
  const isGranted = state !== undefined && isOn(of(state, 'granted'));
  const members = below(element, 'resource_set').flatMap(setMembers);
  return (members.length > 0 ? members : [of(element, 'rsc')]).map((resource) => ({
    ...{ id: of(element, 'id'), ticket: name, resource, isGranted },
  }));
}

function nodeStates(cib: Element, configuration: Element): ReadonlyMap<string, NodeState> {
  const states = new Map<string, NodeState>();
  for (const node of below(configuration, 'nodes', 'node')) {
    const lasting = valuesIn(below(node, 'instance_attributes'));
    const state = below(cib, 'status', 'node_state').find((one) => of(one, 'uname') === of(node, 'uname'));
    const transient = state ? valuesIn(below(state, 'transient_attributes', 'instance_attributes')) : {};
    const standbys = [
      ...(isOn(lasting['standby']) ? (['forever'] as const) : []),
      ...(isOn(transient['standby']) ? (['reboot'] as const) : []),
    ];
    states.set(of(node, 'uname'), {
      standby: standbys[0] ?? 'no',
      standbys,
      maintenance: isOn(lasting['maintenance']) || isOn(transient['maintenance']),
      transient,
    });
  }
  return states;
}

const doneOperations = (node: Element): readonly DoneOperation[] =>
  below(node, 'lrm', 'lrm_resources', 'lrm_resource').flatMap((resource) =>
    below(resource, 'lrm_rsc_op').map((op) => ({
      resource: of(resource, 'id').replace(/:\d+$/, ''),
      node: of(node, 'uname'),
      action: of(op, 'operation'),
      code: Number(of(op, 'rc-code')),
      at: of(op, 'last-rc-change') ? Number(of(op, 'last-rc-change')) * 1000 : null,
      reason: of(op, 'exit-reason'),
      interval: Number(of(op, 'interval') || 0),
    })),
  );
