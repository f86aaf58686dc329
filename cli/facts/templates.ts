import { below, type Element, attribute as of, within } from './xml.ts';

/** The configuration as Pacemaker reads it: every reference (`id-ref`) is what it refers to, and every resource has what its template gives it. */
export function resolved(cib: Element): Element {
  const [configuration] = below(cib, 'configuration');
  if (!configuration || !hasReferences(configuration)) return cib;
  const byId = new Map(everyOf(configuration).map((one): readonly [string, Element] => [of(one, 'id'), one]));
  const whole = referred(configuration, byId);
  const templates = new Map(
    within(whole, 'template').map((one): readonly [string, Element] => [of(one, 'id'), one]),
  );
  const made = filledIn(whole, templates);
  return { ...cib, children: cib.children.map((child) => (child === configuration ? made : child)) };
}

const hasReferences = ({ attributes, children }: Element): boolean =>
  'id-ref' in attributes || 'template' in attributes || children.some(hasReferences);

const everyOf = (element: Element): readonly Element[] => [element, ...element.children.flatMap(everyOf)];

/** What refers to nothing, or to what holds it, stays as it is. */
function referred(
  element: Element,
  byId: ReadonlyMap<string, Element>,
  around: readonly Element[] = [],
): Element {
  const { 'id-ref': id, ...own } = element.attributes;
  const found = id === undefined ? undefined : byId.get(id);
  const source = found && !around.includes(found) ? found : element;
  const inside = [...around, source];
  return {
    name: element.name,
    attributes: { ...source.attributes, ...own },
    children: source.children.map((child) => referred(child, byId, inside)),
  };
}

function filledIn(element: Element, templates: ReadonlyMap<string, Element>): Element {
  const template = element.name === 'primitive' ? templates.get(of(element, 'template')) : undefined;
  if (!template) {
    const children = element.children.map((child) => filledIn(child, templates));
    return { ...element, children };
  }
  const attributes = { ...template.attributes, ...element.attributes };
  const [own, inherited] = [element, template].map((one) =>
    one.children.filter(({ name }) => name !== 'operations'),
  );
  // what counts is the first of several
  const children = [...(own ?? []), ...(inherited ?? []), operations(element, template)];
  return { ...element, attributes, children };
}

/** An operation of the resource's own takes the place of the template's of the same name and role. */
function operations(resource: Element, template: Element): Element {
  const own = below(resource, 'operations', 'op');
  const replaced = new Set(own.map(slot));
  const others = below(template, 'operations', 'op').filter((op) => !replaced.has(slot(op)));
  return { name: 'operations', attributes: {}, children: [...own, ...others] };
}

const slot = (op: Element): string => {
  const role = of(op, 'role');
  return `${of(op, 'name')} ${/^(started|unpromoted|slave|)$/i.test(role) ? '' : role}`;
};
