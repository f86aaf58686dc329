import type { Export } from '../../lib/host/nfs/exports.ts';
import type { Mount } from '../../lib/host/storage/mounts.ts';
import type { Spellings } from './spellings.ts';
import type { WantedDirectory } from './wanted.ts';

/** A wanted directory and what etab holds for its client: normally one entry, or none. */
export type SeenDirectory = WantedDirectory & {
  /** Links followed: how etab spells it. */
  readonly path: string;
  readonly entries: readonly Export[];
  /** exportfs has resolved the path anew since our start: the entries have the one that it found. */
  readonly isAstray?: true;
  /** Why nobody knows whether there is an entry: etab has lines that may be ours under names that could not be resolved. */
  readonly doubt?: string;
};

/** What a directory is looked for in. `name`: the client's in DNS, asked once for all directories and only where it could matter. */
export type Known = {
  readonly etab: readonly Export[];
  readonly table: readonly Mount[];
  readonly spelt: Spellings;
  name?: Promise<Canonical>;
};

/** A host's name in DNS, if it has one; `silence`: why that could not be found out. */
export type Canonical = { readonly name?: string; readonly silence?: string };
