import { type Parser, pumps } from '../../parsers.ts';

export type Splice = { readonly before: string; readonly pump: string; readonly after: string };

/** An ordinary text with something in it, between two of its words, that goes on and on. */
export function* splices(parser: Parser): Generator<Splice> {
  const { line, sample = line?.(1) ?? '', around: [head, tail] = ['', ''] } = parser;
  const cuts = [0, ...[...sample.matchAll(/\b|$|(?<=[^\w\s])/g)].map(({ index }) => index)];
  for (const at of new Set(cuts))
    for (const pump of pumps)
      yield { before: head + sample.slice(0, at), pump, after: sample.slice(at) + tail };
}

export const spliced = ({ before, pump, after }: Splice, size: number): string =>
  before + pump.repeat(Math.ceil(size / pump.length)) + after;
