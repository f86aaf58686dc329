import type { Says } from './words.ts';

/** Something wrong at one place of the configuration. */
export type Problem = {
  /** Names and indexes that lead to it: `['exports', 0, 'fsid']`. */
  readonly path: readonly (string | number)[];
  /** Whether the name at the end of the path is meant, and not its value. */
  readonly isName?: boolean;
  readonly says: Says;
  readonly facts?: { readonly [name: string]: string | number };
  /** What was probably meant. */
  readonly meant?: string | undefined;
};
