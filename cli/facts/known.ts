import { Failure, type Trouble } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import type { Host } from '../../lib/host/host.ts';
import type { Output } from '../../lib/host/sys/sys.ts';

/** A fact, or why nobody could tell. What is unknown is never taken for absent. */
export type Known<T> = { readonly is: 'known'; readonly value: T } | Unknown;

type Unknown = {
  readonly is: 'unknown';
  readonly why: string;
  /** Nothing is wrong: only root may ask, or this kernel does not tell. */
  readonly isNoWonder?: true;
};

const known = <T>(value: T): Known<T> => ({ is: 'known', value });
export const unknown = (why: string): Known<never> => ({ is: 'unknown', why });

/** A look that may fail without making the others useless. */
export async function tryToKnow<T>(look: () => Promise<T>): Promise<Known<T>> {
  try {
    return known(await look());
  } catch (error) {
    const why = error instanceof Failure ? error.message : wordsOf(error);
    return { is: 'unknown', why, ...(isNoWonder(error) && { isNoWonder: true }) };
  }
}

const harmless: ReadonlySet<Trouble> = new Set(['notPermitted', 'unimplemented']);

function isNoWonder(error: unknown): boolean {
  if (error instanceof Failure && harmless.has(error.outcome)) return true;
  const cause = error instanceof Failure ? error.cause : error;
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  return code === 'EACCES' || code === 'EPERM';
}

/** Of a program that ended with an error: to anybody but root it may have refused to answer. */
export function noAnswer({ sys }: Host, { hung, missing, stderr }: Output, reason: string): Failure {
  const mayNotAsk =
    !hung && !missing && (sys.uid !== 0 || /Operation not permitted|Permission denied/i.test(stderr));
  return new Failure(mayNotAsk ? 'notPermitted' : 'failed', reason);
}

/** The value, or null where it is unknown. */
export const orNull = <T>(fact: Known<T>): T | null => (fact.is === 'known' ? fact.value : null);
