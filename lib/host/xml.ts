/** An element of an XML text. */
export type Element = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Its own, without that of its children. */
  readonly text: string;
};

/**
 * Reads the answer of a tool, all elements below a nameless root; what a tool prints in front of its XML is skipped. Text that is no
 * XML has no elements. The library is loaded with the first question: no monitor of a steady resource asks one.
 */
export const readXml = async (text: string): Promise<Element> =>
  (await import('./xml-reader.ts')).readElements(text);

/** An element's descendants of this name, in the order of the text. */
export const all = (element: Element, name: string): readonly Element[] =>
  element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)]);
