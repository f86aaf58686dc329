import { harmless } from '../output/terminal.ts';

/** Text that is markup already. Nothing else reaches a page unescaped. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

type Value = string | number | Html | null | readonly Value[];

const entities: { readonly [sign: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const markupOf = (value: Value): string => {
  if (value === null) return '';
  if (value instanceof Html) return value.markup;
  if (Array.isArray(value)) return value.map(markupOf).join('');
  return harmless(String(value)).replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
};

/** Markup with values in it, which are text whatever they hold. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(parts.map((part, index) => part + markupOf(values[index] ?? null)).join(''));

export const nothing = new Html('');
