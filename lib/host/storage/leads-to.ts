import type { Host } from '../host.ts';
import { factsIfThere } from '../local-files.ts';
import type { Kind } from '../sys/directory.ts';
import { beneath, RefusedFailure } from './beneath.ts';
import { type Mount, mountHolding, trustedPart } from './mounts.ts';

export type LeadsTo = {
  /** Without links, as far as they were followed. */
  readonly path: string;
  /** Of what lies below managed storage, `null` where there is nothing; unset of what this process may look at itself. */
  readonly kind?: Kind | null;
  /** Why it cannot be found out: the storage does not answer, or with an error. */
  readonly trouble?: string;
  /** The link that others made, or may have made, and that would choose what root works on. */
  readonly stray?: string;
};

/**
 * Where a path leads without anybody but root of this machine choosing the place: root's own links are followed anywhere, those below
 * managed storage only as long as they stay on the mount that the path itself names.
 */
export async function leadsTo(
  host: Host,
  path: string,
  table: readonly Mount[],
  timeoutMs?: number,
): Promise<LeadsTo> {
  const { known, rest, links, trouble } = await trustedPart(host, path, table);
  const whole = [known === '/' ? '' : known, ...rest].join('/') || '/';
  if (trouble !== undefined) return { path: whole, trouble };
  for (const link of links) {
    const { uid = 0 } = (await factsIfThere(host, link)) ?? {};
    if (uid !== 0) return { path: whole, stray: `${link} is a link of user ${uid}, and not of root` };
  }
  if (rest.length === 0) return { path: whole };
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  try {
    const led = await beneath(host, { anchor: known, way: [] }, 'follow', { names: rest }, limit);
    if ('link' in led)
      return { path: whole, stray: `${led.link} is a link to ${led.target}, which leads out of ${known}` };
    if (led.path !== whole && mountHolding(table, led.path) !== mountHolding(table, whole))
      return { path: whole, stray: `a link leads to another mount: from ${whole} to ${led.path}` };
    return led;
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return error instanceof RefusedFailure ? { path: whole, stray: words } : { path: whole, trouble: words };
  }
}
