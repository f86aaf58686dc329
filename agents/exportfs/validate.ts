import { leaseSeconds } from '../../lib/host/nfs/clients.ts';
import { type Ctx, stopTimeout } from './params.ts';

/** In seconds: what a stop needs besides the wait. */
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
