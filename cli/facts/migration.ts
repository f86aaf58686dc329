import { resolved } from './templates.ts';
import { below, type Element, attribute as of, within } from './xml.ts';

// A change of the agents' provider goes through maintenance mode. Who switched it on is in the name of its own entry, so it is known on
// every node for as long as it lasts, and goes with it, however it ends.

export const providers = ['tsha', 'stock'] as const;
export type Provider = (typeof providers)[number];

/** A change that has begun and not ended. */
export type Migration = { readonly to: Provider; readonly node: string };

const option = 'maintenance-mode';
const markPattern = /^tsha-migrate-to-(tsha|stock)-on-(.+)$/;

export const markOf = ({ to, node }: Migration): string =>
  `tsha-migrate-to-${to}-on-${node.replace(/[^\w.-]/g, '_')}`;

export const isOn = (value: string | undefined): boolean => /^(on|true|yes|y|1)$/i.test(value ?? '');

const ofOption = (set: Element): readonly Element[] =>
  below(set, 'nvpair').filter((pair) => of(pair, 'name') === option);

const setsIn = (cib: Element): readonly Element[] =>
  below(cib, 'configuration', 'crm_config', 'cluster_property_set');

const entries = (cib: Element): readonly Element[] => setsIn(cib).flatMap(ofOption);

/** Whose name comes first wherever it stands. */
const firstSet = 'cib-bootstrap-options';
const scoreOf = (set: Element): number => Number(of(set, 'score').replace(/INFINITY/i, '1000000')) || 0;

/** A set that a rule decides about is somebody's own affair. */
const isPlain = (set: Element): boolean =>
  set.name === 'cluster_property_set' && below(set, 'rule').length === 0;

/** In the order in which Pacemaker asks them; of those with a rule it alone knows. */
const plainSets = (cib: Element): readonly Element[] =>
  setsIn(cib)
    .filter(isPlain)
    .toSorted((one, other) => {
      const [first, second] = [one, other].map((set) => of(set, 'id') === firstSet);
      return first === second ? scoreOf(other) - scoreOf(one) : first ? -1 : 1;
    });

export function migrationIn(cib: Element): Migration | null {
  for (const pair of entries(cib)) {
    const [, to, node] = markPattern.exec(of(pair, 'id')) ?? [];
    if (to !== undefined && node !== undefined && isOn(of(pair, 'value')))
      return { to: to as Provider, node };
  }
  return null;
}

/** By the entry that counts, where no rule does: whether Pacemaker is, it says itself. */
export const isInMaintenance = (cib: Element): boolean =>
  isOn(plainSets(cib).flatMap(ofOption)[0]?.attributes['value']);

export const maintenanceEntries = (cib: Element): readonly string[] =>
  entries(cib).map((pair) => of(pair, 'id'));

/** Without any entry of it that no rule decides about. */
export const outOfMaintenance = (cib: Element): Element =>
  changeSets(cib, (set) => ({
    ...set,
    children: set.children.filter((pair) => of(pair, 'name') !== option),
  }));

/** Switched on under our name, in the set that counts. */
export function intoMaintenance(cib: Element, migration: Migration): Element {
  const entry: Element = {
    name: 'nvpair',
    attributes: { id: markOf(migration), name: option, value: 'true' },
    children: [],
  };
  const bare = outOfMaintenance(cib);
  const [first] = plainSets(bare);
  if (first)
    return changeSets(bare, (set) => (set === first ? { ...set, children: [...set.children, entry] } : set));
  const set: Element = {
    name: 'cluster_property_set',
    attributes: { id: firstSet },
    children: [entry],
  };
  return changeSection(bare, (section) => ({ ...section, children: [...section.children, set] }));
}

const changeSection = (cib: Element, change: (section: Element) => Element): Element => ({
  ...cib,
  children: cib.children.map((child) =>
    child.name === 'configuration'
      ? {
          ...child,
          children: child.children.map((section) =>
            section.name === 'crm_config' ? change(section) : section,
          ),
        }
      : child,
  ),
});

const changeSets = (cib: Element, change: (set: Element) => Element): Element =>
  changeSection(cib, (section) => ({
    ...section,
    children: section.children.map((set) => (isPlain(set) ? change(set) : set)),
  }));

/** What a node's executor has written down of a resource, and by which agent. */
export type Recorded = {
  readonly resource: string;
  readonly node: string;
  /** `ocf:tsha:drbd` */
  readonly agent: string;
  /** What is known of it there, as a monitor would say it: 0, 7, 8, or a failure. Null while nobody has looked, or has not ended to. */
  readonly state: { readonly code: number; readonly reason: string } | null;
};

export const agentName = (element: Element): string =>
  ['class', 'provider', 'type'].map((name) => of(element, name)).join(':');

/** Of a template that is not there nobody knows the agent. */
const isKnown = (primitive: Element): boolean =>
  of(primitive, 'class') !== '' && of(primitive, 'type') !== '';

export const recordedIn = (cib: Element): readonly Recorded[] =>
  below(cib, 'status', 'node_state').flatMap((node) =>
    below(node, 'lrm', 'lrm_resources', 'lrm_resource').map((one) => ({
      resource: of(one, 'id').replace(/:\d+$/, ''),
      node: of(node, 'uname'),
      agent: agentName(one),
      state: stateIn(one),
    })),
  );

/** What a monitor says after such an action that went well. */
const after: { readonly [action: string]: number } = { start: 0, promote: 8, demote: 0, stop: 7 };

function stateIn(resource: Element): Recorded['state'] {
  const done = below(resource, 'lrm_rsc_op')
    .filter((op) => Number(of(op, 'interval') || 0) === 0)
    .filter((op) => of(op, 'operation') === 'monitor' || of(op, 'operation') in after)
    .toSorted((one, other) => Number(of(other, 'call-id')) - Number(of(one, 'call-id')));
  // -1: asked, and not answered yet
  if (done.some((op) => Number(of(op, 'op-status')) === -1)) return null;
  const [last] = done;
  if (!last) return null;
  const code = Number(of(last, 'rc-code'));
  const meant = code === 0 ? after[of(last, 'operation')] : undefined;
  return { code: meant ?? code, reason: of(last, 'exit-reason') };
}

/** What was written down by another agent than the one that is configured: Pacemaker would start the resource anew. */
export function outdated(cib: Element): readonly Recorded[] {
  const configured = new Map(
    within(resolved(cib), 'primitive')
      .filter(isKnown)
      .map((one): readonly [string, string] => [of(one, 'id'), agentName(one)]),
  );
  return recordedIn(cib).filter(({ resource, agent }) => {
    const now = configured.get(resource);
    return now !== undefined && now !== agent;
  });
}
