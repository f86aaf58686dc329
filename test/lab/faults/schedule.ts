import type { Kind, Target } from './kind.ts';
import { randomOf, shuffled } from './random.ts';

/** One fault of a schedule. */
export interface Fault {
  /** From 1, and what `--only` takes. */
  number: number;
  kind: Kind;
  target: Target;
  /** For what is random in it. */
  seed: number;
}

interface Card {
  kind: Kind;
  target: Target;
}

/** Each kind on each of its targets once, in a random order; then all of them again. The same for the same seed and kinds. */
export function* schedule(kinds: readonly Kind[], seed: number): Generator<Fault, never> {
  const cards = kinds.flatMap((kind) => kind.on.map((target): Card => ({ kind, target })));
  if (cards.length === 0) throw new Error('there is no such kind of fault');
  for (let number = 1, round = 0; ; round++)
    for (const card of shuffled(cards, randomOf(seed * 1000 + round)))
      yield { number, ...card, seed: seed * 100_000 + number++ };
}

/** Those that a lab can play, and that were asked for by a part of their name. */
export function chosenKinds(
  all: readonly Kind[],
  { fenced, stock, names }: { fenced: boolean; stock: boolean; names: readonly string[] },
): readonly Kind[] {
  return all.filter(
    ({ name, only, ours, proves }) =>
      (only === undefined || (only === 'fenced') === fenced) &&
      !(ours && stock) &&
      (proves ? names.includes(name) : names.length === 0 || names.some((part) => name.includes(part))),
  );
}
