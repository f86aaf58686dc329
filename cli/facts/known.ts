import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';

/** A fact, or why nobody could tell. What is unknown is never taken for absent. */
export type Known<T> =
  | { readonly is: 'known'; readonly value: T }
  | { readonly is: 'unknown'; readonly why: string };

const known = <T>(value: T): Known<T> => ({ is: 'known', value });
export const unknown = (why: string): Known<never> => ({ is: 'unknown', why });

/** A look that may fail without making the others useless. */
export async function tryToKnow<T>(look: () => Promise<T>): Promise<Known<T>> {
  try {
    return known(await look());
  } catch (error) {
    return unknown(error instanceof Failure ? error.message : wordsOf(error));
  }
}

/** The value, or null where it is unknown. */
export const orNull = <T>(fact: Known<T>): T | null => (fact.is === 'known' ? fact.value : null);
