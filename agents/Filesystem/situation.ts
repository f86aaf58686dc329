import type { Mount } from '../../lib/host/storage/mounts.ts';
import type { Wanted } from './wanted.ts';

/** What the mount table shows of this resource. */
export type Seen = {
  readonly table: readonly Mount[];
  readonly wanted: Wanted;
} & (
  | { readonly is: 'absent' }
  | { readonly is: 'ours'; readonly mount: Mount }
  /** Something else is mounted there, and ours is not below it. */
  | { readonly is: 'foreign'; readonly mount: Mount }
  /** Nothing says whether it is ours. */
  | { readonly is: 'undecided'; readonly mount: Mount; readonly why: string }
  /** Ours is mounted, but something else was mounted over it, or over a directory above it. */
  | { readonly is: 'covered'; readonly mount: Mount; readonly by: Mount }
  /** A stop moved ours beside the directory and did not end. */
  | { readonly is: 'aside'; readonly mount: Mount }
  /** Ours is under another path than is asked for. */
  | { readonly is: 'moved'; readonly mount: Mount; readonly why: string }
);
