import type { Catalogue, Code } from './catalogue.ts';
import type { Entry } from './entry.ts';

/** The same row in another language; commands have no language. */
export type Translation = Pick<Entry, 'what' | 'why'>;

/** Where a fact comes from: a command or a file, and its own words. */
export type Evidence = { readonly source: string; readonly text: string };

/** One thing that was found out about this cluster. Codes are stable, and never translated. */
export type Finding = {
  readonly code: Code;
  readonly facts: { readonly [name: string]: string };
  readonly node: string | null;
  readonly resource: string | null;
  readonly evidence: readonly Evidence[];
};

/** The names between braces in a text. */
type Holes<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Holes<Rest>
  : never;
export type FactsOf<C extends Code> = {
  readonly [Name in Holes<Catalogue[C]['what'] | Catalogue[C]['fix'][number]>]: string | number;
};

type About = {
  readonly node?: string | undefined;
  readonly resource?: string | undefined;
  readonly evidence?: readonly Evidence[];
};

export const finding = <C extends Code>(code: C, facts: FactsOf<C>, about: About = {}): Finding => ({
  code,
  facts: Object.fromEntries(Object.entries<string | number>(facts).map(([name, fact]) => [name, `${fact}`])),
  node: about.node ?? null,
  resource: about.resource ?? null,
  evidence: about.evidence ?? [],
});

/** A text of the catalogue with the facts in their places. */
export const filled = (text: string, facts: Finding['facts']): string =>
  text.replace(/\{(\w+)\}/g, (hole, name: string) => facts[name] ?? hole);

const safe = /^[\w@%+=:,./-]+$/;
/** A command of the catalogue; every fact is one word of a shell, whatever it holds. */
export const filledCommand = (text: string, facts: Finding['facts']): string =>
  text.replace(/\{(\w+)\}/g, (hole, name: string) => {
    const fact = facts[name];
    if (fact === undefined) return hole;
    return safe.test(fact) ? fact : `'${fact.replaceAll("'", `'\\''`)}'`;
  });
