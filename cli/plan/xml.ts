import type { Element } from '../facts/xml.ts';
import type { Container, Named, Operation, Resource, Wanted } from './cluster.ts';
import type { PlanWords } from './words.ts';

/** An element without children. */
export const leaf = (name: string, attributes: Element['attributes']): Element => ({
  name,
  attributes,
  children: [],
});

/** A set of names and values as the CIB has them; ids are pcs'. */
export const valueSet = (name: string, id: string, named: Named): Element => ({
  name,
  attributes: { id },
  children: named.map(([key, value]) => leaf('nvpair', { id: `${id}-${key}`, name: key, value })),
});

export function operationElement(resource: string, { name, interval, timeout, role }: Operation): Element {
  const id = `${resource}-${name}-interval-${interval}`;
  return leaf('op', { id, name, interval, timeout, ...(role === null ? {} : { role }) });
}

export function primitiveElement({ id, type, parameters, operations }: Resource): Element {
  const [standard = '', provider = '', name = ''] = type.split(':');
  return {
    name: 'primitive',
    attributes: { id, class: standard, provider, type: name },
    children: [
      valueSet('instance_attributes', `${id}-instance_attributes`, parameters),
      { name: 'operations', attributes: {}, children: operations.map((one) => operationElement(id, one)) },
    ],
  };
}

export const containerElement = (
  name: 'clone' | 'group',
  { id, meta }: Container,
  members: readonly Element[],
): Element => {
  const set = meta.length > 0 ? [valueSet('meta_attributes', `${id}-meta_attributes`, meta)] : [];
  return {
    name,
    attributes: { id },
    children: name === 'group' ? [...set, ...members] : [...members, ...set],
  };
};

export const colocationElement = ({ colocation, group, clone }: Wanted): Element =>
  leaf('rsc_colocation', {
    id: colocation.id,
    score: 'INFINITY',
    rsc: group.id,
    'with-rsc': clone.id,
    'with-rsc-role': 'Promoted',
  });

export const orderElement = ({ order, group, clone }: Wanted): Element =>
  leaf('rsc_order', {
    id: order.id,
    kind: 'Mandatory',
    first: clone.id,
    'first-action': 'promote',
    // biome-ignore lint/suspicious/noThenProperty: an attribute of Pacemaker's
    then: group.id,
    'then-action': 'start',
  });

export const alertElement = ({ id, path }: { readonly id: string; readonly path: string }): Element =>
  leaf('alert', { id, path });

/** Elements of the CIB's `resources` and `constraints`. */
function elementsOf(wanted: Wanted): {
  readonly resources: readonly Element[];
  readonly constraints: readonly Element[];
} {
  const [drbd, ...members] = wanted.resources.map(primitiveElement);
  return {
    resources: [
      containerElement('clone', wanted.clone, drbd ? [drbd] : []),
      containerElement('group', wanted.group, members),
    ],
    constraints: [colocationElement(wanted), orderElement(wanted)],
  };
}

/** What `cibadmin --modify --allow-create` takes. The reasons stand in front: a comment within would stay in the CIB. */
export function configurationXml(wanted: Wanted, words: PlanWords): string {
  const { resources, constraints } = elementsOf(wanted);
  const alerts = wanted.alert ? [wanted.alert] : [];
  const own = [wanted.clone, wanted.group, wanted.colocation, wanted.order, ...alerts];
  const reasons = [...wanted.resources, ...own].map(({ id, why }) =>
    `  ${id}: ${words[why]}`.replaceAll('--', '- -'),
  );
  const section = (name: string, children: readonly Element[]): Element => ({
    name,
    attributes: {},
    children,
  });
  const whole = section('configuration', [
    section('resources', resources),
    section('constraints', constraints),
    ...(wanted.alert ? [section('alerts', [alertElement(wanted.alert)])] : []),
  ]);
  return `${['<!--', ...reasons, '-->', ...xmlLines(whole)].join('\n')}\n`;
}

const escaped = (text: string): string => text.replace(/[&<>"\n\t\r]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** An element as text, on lines of its own. */
export function xmlLines({ name, attributes, children }: Element): readonly string[] {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  const head = `<${name}${written.join('')}`;
  if (children.length === 0) return [`${head}/>`];
  return [
    `${head}>`,
    ...children.flatMap((child) => xmlLines(child)).map((line) => `  ${line}`),
    `</${name}>`,
  ];
}
