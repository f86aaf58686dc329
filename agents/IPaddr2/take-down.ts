import { Failure } from '../../lib/contract/outcome.ts';
import type { Sighting } from '../../lib/host/net/addresses.ts';
import { labelSource, putBack, removeAddress } from './change.ts';
import { endSharing, leaveShare, listen, unlisten } from './change-share.ts';
import type { Ctx } from './params.ts';
import { type Spot, spotOf } from './spot.ts';
import type { Wanted } from './wanted.ts';

/**
 * Gives the instance's share back and, unless other instances on this node need it, takes the address away with all that start made for
 * it. Returns what it took. An instance that takes its share before the rules have gone gets everything back.
 */
export async function takeDown(
  ctx: Ctx,
  want: Wanted,
  find: () => Promise<readonly Sighting[]>,
  spot?: Spot,
): Promise<readonly Sighting[] | 'needed'> {
  for (;;) {
    if ((await leaveShare(ctx, want)) === 'needed') return 'needed';
    const found = await find();
    for (const sighting of found) await removeAddress(ctx, want.namespace, sighting);
    const [left] = found.length > 0 ? await find() : [];
    if (left && (await leaveShare(ctx, want)) === 'free')
      throw new Failure('failed', `${want.ip} cannot be removed from ${left.link.name}`);
    const spots = want.share === undefined ? [] : spot ? [spot] : found.map(spotOf);
    for (const one of spots) await unlisten(ctx, want, one);
    await labelSource(ctx, want, 'del');
    if ((await endSharing(ctx, want)) === 'free') return found;

    for (const { link, address } of found) await putBack(ctx, want.namespace, link, [address]);
    await labelSource(ctx, want, 'add');
    for (const one of spots) await listen(ctx, want, one);
  }
}
