import type { Element } from './xml-element.ts';

/**
 * Reads the answer of a tool, all elements below a nameless root; what a tool prints in front of its XML is skipped. `undefined` for
 * text that is no XML, or was cut short: it does not say that an element is missing. The library is loaded with the first question: no monitor of a steady resource asks one.
 */
export const readXml = async (text: string): Promise<Element | undefined> =>
  (await import('./xml-reader.ts')).readElements(text);
