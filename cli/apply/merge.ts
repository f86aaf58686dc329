import { CommandError } from '../exit.ts';
import { inOwnWords } from '../facts/roles.ts';
import { below, type Element, attribute as of, within } from '../facts/xml.ts';
import { type Named, type Operation, parametersOfFile, type Resource, type Wanted } from '../plan/cluster.ts';
import {
  alertElement,
  colocationElement,
  containerElement,
  leaf,
  operationElement,
  orderElement,
  primitiveElement,
  valueSet,
} from '../plan/xml.ts';
import type { AgentName } from '../stack.ts';

/** One line of the difference that is shown. */
export type Change = {
  readonly kind: '+' | '-' | '~';
  readonly id: string;
  readonly what: string;
};

export type Merged = { readonly cib: Element; readonly changes: readonly Change[] };

/**
 * The CIB as the pair wants it, and what differs. Only what the file speaks of is touched: further parameters, operations, meta attributes and
 * members of the group stay. Throws `CommandError` where an id belongs to something else.
 */
export function merge(cib: Element, wanted: Wanted, exportPrefix: string): Merged {
  const changes: Change[] = [];
  const tell = (kind: Change['kind'], id: string, what: string) => void changes.push({ kind, id, what });
  requireFreeIds(cib, wanted);
  const merged = mapChild(cib, 'configuration', (configuration) =>
    mapChild(
      mapChild(configuration, 'resources', (resources) =>
        mergeResources(resources, wanted, exportPrefix, tell),
      ),
      'constraints',
      (constraints) => mergeConstraints(constraints, wanted, tell),
    ),
  );
  const next = mapChild(merged, 'configuration', (configuration) => mergeAlerts(configuration, wanted, tell));
  return { cib: inOwnWords(next), changes };
}

type Tell = (kind: Change['kind'], id: string, what: string) => void;

/** The element with its child of that name changed; the CIB always has both sections. */
const mapChild = (element: Element, name: string, change: (child: Element) => Element): Element => ({
  ...element,
  children: element.children.map((child) => (child.name === name ? change(child) : child)),
});

const withChildren = (element: Element, children: readonly Element[]): Element => ({ ...element, children });

const idOf = (element: Element): string => of(element, 'id');

/** Whoever has made an alert of ours, with recipients and options, has it as he wants it. */
function mergeAlerts(configuration: Element, { alert }: Wanted, tell: Tell): Element {
  const there = below(configuration, 'alerts', 'alert');
  if (!alert || there.some((one) => of(one, 'path') === alert.path)) return configuration;
  if (there.some((one) => idOf(one) === alert.id))
    throw new CommandError('broken', `the id ${alert.id} is taken by an alert with another path`);
  tell('+', alert.id, alert.path);
  const added = alertElement(alert);
  if (below(configuration, 'alerts').length === 0)
    return withChildren(configuration, [
      ...configuration.children,
      { name: 'alerts', attributes: {}, children: [added] },
    ]);
  return mapChild(configuration, 'alerts', (alerts) => withChildren(alerts, [...alerts.children, added]));
}

/** An id of ours that something else has: a resource of another agent, or one that lies elsewhere. */
function requireFreeIds(cib: Element, { resources, clone, group }: Wanted): void {
  const taken = (id: string, why: string) =>
    new CommandError('broken', `the id ${id} is taken: ${why}; give another in the file (ids)`);
  const [drbd, ...members] = resources;
  const all = within(cib, 'primitive', 'group', 'clone', 'master', 'bundle');
  const parentOf = (id: string) =>
    within(cib, 'resources', 'group', 'clone', 'master').find(({ children }) =>
      children.some((child) => child.name === 'primitive' && idOf(child) === id),
    );
  for (const { id, agent } of resources) {
    const found = all.find((one) => idOf(one) === id);
    if (found && (found.name !== 'primitive' || of(found, 'type') !== agent))
      throw taken(id, `it is a ${of(found, 'type') || found.name}`);
  }
  for (const [container, name] of [
    [clone, 'clone'],
    [group, 'group'],
  ] as const) {
    const found = all.find((one) => idOf(one) === container.id);
    if (found && found.name !== name) throw taken(container.id, `it is a ${of(found, 'type') || found.name}`);
  }
  for (const [ids, container] of [
    [drbd ? [drbd.id] : [], clone.id],
    [members.map(({ id }) => id), group.id],
  ] as const)
    for (const id of ids) {
      const parent = parentOf(id);
      if (parent && idOf(parent) !== container)
        throw taken(
          id,
          parent.name === 'resources' ? `it stands outside ${container}` : `it is in ${idOf(parent)}`,
        );
    }
  const other = below(cib, 'configuration', 'resources', 'clone').find(({ children }) =>
    children.some((child) => idOf(child) === group.id),
  );
  if (other) throw taken(group.id, `it is cloned by ${idOf(other)}`);
}

function mergeResources(resources: Element, wanted: Wanted, exportPrefix: string, tell: Tell): Element {
  const { clone, group } = wanted;
  const [drbd, ...members] = wanted.resources;
  const there = (name: string, id: string) =>
    resources.children.some((one) => one.name === name && idOf(one) === id);
  const kept = resources.children.map((child) => {
    if (child.name === 'clone' && idOf(child) === clone.id && drbd)
      return mergeMeta(
        withChildren(
          child,
          child.children.map((one) => (idOf(one) === drbd.id ? mergePrimitive(one, drbd, tell) : one)),
        ),
        clone.meta,
        tell,
      );
    if (child.name === 'group' && idOf(child) === group.id)
      return mergeMeta(mergeGroup(child, members, exportPrefix, tell), group.meta, tell);
    return child;
  });
  const added: Element[] = [];
  if (!there('clone', clone.id) && drbd) {
    tell('+', clone.id, spoken(clone.meta));
    tell('+', drbd.id, described(drbd));
    added.push(containerElement('clone', clone, [primitiveElement(drbd)]));
  }
  if (!there('group', group.id)) {
    tell('+', group.id, spoken(group.meta));
    for (const member of members) tell('+', member.id, described(member));
    added.push(containerElement('group', group, members.map(primitiveElement)));
  }
  return withChildren(resources, [...kept, ...added]);
}

const spoken = (named: Named): string => named.map((pair) => pair.join('=')).join(' ');
const described = ({ type, parameters }: Resource): string => `${type} ${spoken(parameters)}`;

/** Members in the order of the file; what is not ours stays in front of whatever it stood in front of. */
function mergeGroup(group: Element, members: readonly Resource[], exportPrefix: string, tell: Tell): Element {
  const there = group.children.filter(({ name }) => name === 'primitive');
  const isOurs = (id: string) => members.some((member) => member.id === id);
  const isGone = (one: Element) =>
    !isOurs(idOf(one)) && of(one, 'type') === 'exportfs' && idOf(one).startsWith(exportPrefix);
  const remaining = there.filter((one) => !isGone(one));
  for (const one of there.filter(isGone)) tell('-', idOf(one), of(one, 'type'));
  const order: string[] = members.map(({ id }) => id);
  for (const [index, one] of [...remaining.entries()].reverse()) {
    if (isOurs(idOf(one))) continue;
    const behind = remaining[index + 1];
    order.splice(behind ? order.indexOf(idOf(behind)) : order.length, 0, idOf(one));
  }
  const before = remaining.map(idOf);
  const kept = order.filter((id) => before.includes(id));
  if (kept.join(' ') !== before.join(' '))
    tell('~', idOf(group), `order: ${before.join(' ')} → ${kept.join(' ')}`);
  const merged = order.flatMap((id) => {
    const found = remaining.find((one) => idOf(one) === id);
    const member = members.find((one) => one.id === id);
    if (found && member) return [mergePrimitive(found, member, tell)];
    if (found) return [found];
    if (!member) return [];
    tell('+', id, described(member));
    return [primitiveElement(member)];
  });
  // sets may stand before or behind the members, and stay there
  const firstAt = group.children.findIndex(({ name }) => name === 'primitive');
  const others = (from: number, to?: number) =>
    group.children.slice(from, to).filter(({ name }) => name !== 'primitive');
  return withChildren(
    group,
    firstAt < 0 ? [...group.children, ...merged] : [...others(0, firstAt), ...merged, ...others(firstAt)],
  );
}

function mergePrimitive(primitive: Element, resource: Resource, tell: Tell): Element {
  const { id, agent, type, parameters, operations } = resource;
  const [standard = '', provider = '', name = ''] = type.split(':');
  const now = [of(primitive, 'class'), of(primitive, 'provider'), of(primitive, 'type')].join(':');
  if (now !== type) tell('~', id, `${now} → ${type}`);
  const own =
    now === type
      ? primitive
      : { ...primitive, attributes: { ...primitive.attributes, class: standard, provider, type: name } };
  const withParameters = mergeSet(
    own,
    'instance_attributes',
    parameters,
    parametersOfFile[agent as AgentName],
    tell,
  );
  return mergeOperations(withParameters, operations, tell);
}

/** Meta attributes that the file names; others stay. */
const mergeMeta = (container: Element, meta: Named, tell: Tell): Element =>
  mergeSet(
    container,
    'meta_attributes',
    meta,
    meta.map(([name]) => name),
    tell,
  );

/** A set that a rule decides about is somebody's own affair; ours is the first without. */
function mergeSet(
  owner: Element,
  kind: string,
  named: Named,
  managed: readonly string[],
  tell: Tell,
): Element {
  const id = idOf(owner);
  const at = owner.children.findIndex((one) => one.name === kind && below(one, 'rule').length === 0);
  const found = owner.children[at];
  if (!found) {
    if (named.length === 0) return owner;
    tell('~', id, named.map(([name, value]) => `${name}=${value}`).join(' '));
    const set = valueSet(kind, `${id}-${kind}`, named);
    // the operations of a primitive come after its parameters
    return withChildren(
      owner,
      kind === 'instance_attributes' ? [set, ...owner.children] : [...owner.children, set],
    );
  }
  const pairs = found.children.flatMap((pair): readonly Element[] => {
    const name = of(pair, 'name');
    const wanted = named.find(([one]) => one === name)?.[1];
    if (pair.name !== 'nvpair' || !managed.includes(name) || of(pair, 'value') === wanted) return [pair];
    const value = of(pair, 'value');
    tell('~', id, wanted === undefined ? `${name}: ${value} → –` : `${name}: ${value} → ${wanted}`);
    return wanted === undefined ? [] : [{ ...pair, attributes: { ...pair.attributes, value: wanted } }];
  });
  const missing = named.filter(([name]) => !found.children.some((pair) => of(pair, 'name') === name));
  for (const [name, value] of missing) tell('~', id, `${name}: – → ${value}`);
  const added = missing.map(([name, value]) => leaf('nvpair', { id: `${idOf(found)}-${name}`, name, value }));
  const set = withChildren(found, [...pairs, ...added]);
  return withChildren(
    owner,
    owner.children.map((one, index) => (index === at ? set : one)),
  );
}

const roles: { readonly [role: string]: string } = { Master: 'Promoted', Slave: 'Unpromoted' };
const roleOf = (operation: Element): string | null => {
  const role = of(operation, 'role');
  return role === '' || role === 'Started' ? null : (roles[role] ?? role);
};

/** Operations that are missing; those that are there are the administrator's, whatever their interval and timeout. */
function mergeOperations(primitive: Element, operations: readonly Operation[], tell: Tell): Element {
  const id = idOf(primitive);
  const there = below(primitive, 'operations', 'op');
  const missing = operations.filter(
    ({ name, role }) => !there.some((one) => of(one, 'name') === name && roleOf(one) === role),
  );
  if (missing.length === 0) return primitive;
  const intervals = there.filter((one) => of(one, 'name') === 'monitor').map((one) => of(one, 'interval'));
  const added = missing.map((one) => {
    let interval = Number.parseInt(one.interval, 10);
    while (one.name === 'monitor' && intervals.some((other) => Number.parseInt(other, 10) === interval))
      interval++;
    const operation = { ...one, interval: `${interval}s` };
    if (one.name === 'monitor') intervals.push(operation.interval);
    const role = one.role === null ? '' : ` role=${one.role}`;
    tell('~', id, `op ${one.name} interval=${operation.interval} timeout=${one.timeout}${role}`);
    return operationElement(id, operation);
  });
  const section = below(primitive, 'operations')[0];
  if (section)
    return withChildren(
      primitive,
      primitive.children.map((one) =>
        one === section ? withChildren(section, [...section.children, ...added]) : one,
      ),
    );
  const operationsElement: Element = { name: 'operations', attributes: {}, children: added };
  const after = primitive.children.findLastIndex(({ name }) => name === 'instance_attributes') + 1;
  return withChildren(primitive, [
    ...primitive.children.slice(0, after),
    operationsElement,
    ...primitive.children.slice(after),
  ]);
}

/** Members stand for the group: they run together anyway. */
function mergeConstraints(constraints: Element, wanted: Wanted, tell: Tell): Element {
  const { group, clone, colocation, order } = wanted;
  const ofGroup = [group.id, ...group.members];
  const setMembers = (set: Element | undefined) => (set ? below(set, 'resource_ref').map(idOf) : []);
  const isPromoted = (role: string) => role === 'Promoted' || role === 'Master';
  const isWithPromoted = below(constraints, 'rsc_colocation').some((one) => {
    const sets = below(one, 'resource_set');
    const isFirm =
      /^\+?INFINITY$/.test(of(one, 'score')) ||
      (of(one, 'score') === '' && sets.some((set) => /INFINITY/.test(of(set, 'score'))));
    const last = sets.at(-1);
    if (sets.length > 0)
      return (
        isFirm &&
        last !== undefined &&
        isPromoted(of(last, 'role')) &&
        setMembers(last).includes(clone.id) &&
        sets.slice(0, -1).some((set) => setMembers(set).some((id) => ofGroup.includes(id)))
      );
    return (
      isFirm &&
      ofGroup.includes(of(one, 'rsc')) &&
      of(one, 'with-rsc') === clone.id &&
      isPromoted(of(one, 'with-rsc-role'))
    );
  });
  const isAfterPromotion = below(constraints, 'rsc_order').some((one) => {
    if (of(one, 'kind') === 'Optional' || of(one, 'score') === '0') return false;
    const sets = below(one, 'resource_set');
    const [first, ...others] = sets;
    if (first)
      return (
        of(first, 'action') === 'promote' &&
        setMembers(first).includes(clone.id) &&
        others.some((set) => setMembers(set).some((id) => ofGroup.includes(id)))
      );
    return (
      of(one, 'first') === clone.id &&
      of(one, 'first-action') === 'promote' &&
      ofGroup.includes(of(one, 'then'))
    );
  });
  const added: Element[] = [];
  if (!isWithPromoted) {
    tell('+', colocation.id, `${group.id} with Promoted ${clone.id}`);
    added.push(colocationElement(wanted));
  }
  if (!isAfterPromotion) {
    tell('+', order.id, `promote ${clone.id} then start ${group.id}`);
    added.push(orderElement(wanted));
  }
  return added.length === 0 ? constraints : withChildren(constraints, [...constraints.children, ...added]);
}
