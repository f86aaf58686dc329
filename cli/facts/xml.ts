import { XMLParser } from 'fast-xml-parser';

/** One element of a document of Pacemaker's: its attributes, and its children in their order. */
export type Element = {
  readonly name: string;
  readonly attributes: { readonly [name: string]: string };
  readonly children: readonly Element[];
};

type Raw = { readonly [name: string]: unknown };

const parser = new XMLParser({
  ignoreAttributes: false,
  preserveOrder: true,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  // Pacemaker puts blanks around lists, and takes them for a change of the definition when they are gone
  trimValues: false,
});

/** The document's root; throws for anything that is no XML. */
export function parseXml(text: string): Element {
  const root = elements(parser.parse(text) as readonly Raw[]).find(({ name }) => !name.startsWith('?'));
  if (!root) throw new Error(`this is no XML: ${text.slice(0, 80)}`);
  return root;
}

const elements = (list: readonly Raw[]): readonly Element[] =>
  list.flatMap((raw) => {
    const name = Object.keys(raw).find((key) => key !== ':@' && key !== '#text');
    if (name === undefined) return [];
    const attributes = (raw[':@'] ?? {}) as { readonly [name: string]: string };
    return [{ name, attributes, children: elements((raw[name] ?? []) as readonly Raw[]) }];
  });

/** The elements at the end of a path of names. */
export const below = (element: Element, ...path: readonly string[]): readonly Element[] =>
  path.reduce<readonly Element[]>(
    (found, name) => found.flatMap(({ children }) => children.filter((child) => child.name === name)),
    [element],
  );

/** Every element of these names, at any depth, in the order of the document. */
export function within(element: Element, ...names: readonly string[]): readonly Element[] {
  return element.children.flatMap((child) => [
    ...(names.includes(child.name) ? [child] : []),
    ...within(child, ...names),
  ]);
}

export const attribute = ({ attributes }: Element, name: string): string => attributes[name] ?? '';
export const isTrue = (element: Element, name: string): boolean => attribute(element, name) === 'true';
