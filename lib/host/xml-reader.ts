import { XMLParser } from 'fast-xml-parser';
import type { Element } from './xml-element.ts';

/** As the library gives it with `preserveOrder`: one key is the element's name, `:@` holds its attributes, `#text` is text. */
type Ordered = { readonly [key: string]: unknown };

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
});

/** `readXml`'s work, in a file of its own so that of the library no more is bundled than this. */
export function readElements(text: string): Element | undefined {
  const begin = text.indexOf('<');
  if (begin < 0) return undefined;
  try {
    const root = elementOf({ '': parser.parse(text.slice(begin)) });
    return isWhole(root, text.trimEnd()) ? root : undefined;
  } catch {
    return undefined;
  }
}

/** The library closes by itself what a text that was cut short leaves open. */
function isWhole({ children }: Element, text: string): boolean {
  const last = children.at(-1);
  return last !== undefined && (text.endsWith(`</${last.name}>`) || /(?:\/|--)>$/.test(text));
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
