import type { Host } from '../host.ts';
import { answersHere, canonicalPath, type Mount } from './mounts.ts';

/** A path that may lead to managed storage. */
export type Place = {
  /** Without links. */
  readonly real: string;
  /**
   * Whether the cluster may manage the storage below it: then it may die, and whatever touches it hangs in the kernel. Only children
   * with a deadline may.
   */
  readonly managed: boolean;
};

/** Where a path really is, by its links and the mount table; nothing that may hang is touched in this process. */
export async function placeOf(host: Host, path: string, table: readonly Mount[]): Promise<Place> {
  const real = await canonicalPath(host, path, table);
  return { real, managed: !answersHere(real, table) };
}
