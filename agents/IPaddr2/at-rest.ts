import { alone, beside } from '../../lib/host/lock.ts';
import { type Interface, interfaces } from '../../lib/host/net/addresses.ts';
import type { Ctx } from './params.ts';
import type { Wanted } from './wanted.ts';

// While one call removes the first address of a network and puts the others back, those are gone for a moment. Another call that looked then
// would say "stopped" of an address that comes back, and one that removed its own would see it put back after its last look.

const lock = 'IPaddr2-addresses';

/** Removes addresses that the kernel may take others along with, and puts those back. */
export const withoutOthers = (ctx: Ctx, work: () => Promise<void>): Promise<void> => alone(ctx, lock, work);

/** What another call's putting back would make untrue. */
export const whileAtRest = <T>(ctx: Ctx, work: () => Promise<T>): Promise<T> => beside(ctx, lock, work);

/** Every interface with its addresses, none of which is gone for a moment only. */
export const interfacesAtRest = (ctx: Ctx, want: Wanted): Promise<readonly Interface[]> =>
  whileAtRest(ctx, () => interfaces(ctx.host, want.namespace));
