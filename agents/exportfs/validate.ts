import { leaseSeconds } from '../../lib/host/nfs/exports.ts';
import type { Ctx } from './params.ts';

/** In seconds: what Pacemaker is told to allow a stop, and what a stop needs besides the wait. */
export const stopTimeout = 120;
const besidesTheWait = 10;

/** No operation knows the timeout of another: what can be said beforehand is that the declared one does not suffice. */
export async function validate({ params, host, log }: Ctx): Promise<void> {
  if (!params.wait_for_leasetime_on_stop) return;
  const needed = ((await leaseSeconds(host)) ?? 0) + besidesTheWait;
  if (needed > stopTimeout)
    log.warn(
      `the NFSv4 lease lasts ${needed - besidesTheWait} s: give the stop operation a timeout of at least ${needed} s`,
    );
}
