/** An element of an XML text. */
export type Element = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Its own, without that of its children. */
  readonly text: string;
};

/** As the library gives it with `preserveOrder`: one key is the element's name, `:@` holds its attributes, `#text` is text. */
type Ordered = { readonly [key: string]: unknown };

/**
 * Reads the answer of a tool, all elements below a nameless root; what a tool prints in front of its XML is skipped. Text that is no
 * XML has no elements. The library is loaded with the first question: no monitor of a steady resource asks one.
 */
export async function readXml(text: string): Promise<Element> {
  const { XMLParser } = await import('fast-xml-parser');
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
  });
  const begin = text.indexOf('<');
  try {
    return elementOf({ '': begin < 0 ? [] : parser.parse(text.slice(begin)) });
  } catch {
    return elementOf({ '': [] });
  }
}

function elementOf(node: Ordered): Element {
  const name = Object.keys(node).find((key) => key !== ':@') ?? '';
  const inner = (node[name] ?? []) as readonly Ordered[];
  return {
    name,
    attributes: (node[':@'] ?? {}) as Readonly<Record<string, string>>,
    children: inner.filter((one) => !('#text' in one)).map(elementOf),
    text: inner.map((one) => ('#text' in one ? String(one['#text']) : '')).join(''),
  };
}

/** An element's descendants of this name, in the order of the text. */
export const all = (element: Element, name: string): readonly Element[] =>
  element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)]);
