import type { Host } from '../host.ts';
import { readIfThere } from '../local-files.ts';

// The grace period of lockd, in seconds. Whoever is on record for NFSv3 may claim his locks meanwhile; every new lock waits, of
// NFSv4 too, because the kernel asks whether anybody is in grace.

const wanted = '/proc/sys/fs/nfs/nlm_grace_period';
const unit = '/proc/sys/fs/nfs/nlm_timeout';
const defaultUnit = 10;

/** What `set` seconds become: the kernel takes the next multiple of nlm_timeout, and five of them where nothing is set. */
const lockGraceOf = (set: number, timeout: number): number =>
  set > 0 ? Math.ceil(set / timeout) * timeout : 5 * timeout;

/** What the kernel would take for `set`, else for what it was told itself. `undefined` where lockd is not loaded. */
export async function lockGraceSeconds(host: Host, set: number | undefined): Promise<number | undefined> {
  const own = await number(host, wanted);
  const timeout = await number(host, unit);
  const asked = set ?? own;
  return asked === undefined ? undefined : lockGraceOf(asked, timeout || defaultUnit);
}

async function number(host: Host, file: string): Promise<number | undefined> {
  const text = (await readIfThere(host, file))?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
