import { type Admin, complaint } from '../../lib/host/drbd/admin.ts';
import type { Ctx } from './params.ts';
import { isThisNode, notified } from './peers.ts';

/**
 * stop_outdates_secondary: while another node stays promoted, what lies here falls behind and must not be promoted later.
 * With the resource down, drbdadm marks the meta-data itself. Says whether it did.
 */
export async function outdateIfPeerIsPromoted(ctx: Ctx, admin: Admin): Promise<boolean> {
  if (!ctx.params.stop_outdates_secondary) return false;
  const isMe = await isThisNode(ctx);
  const stopping = notified(ctx, 'stop').map((name) => name.toLowerCase());
  const stays = notified(ctx, 'promoted').find(
    (name) => !isMe(name) && !stopping.includes(name.toLowerCase()),
  );
  if (!stays) return false;
  ctx.log.info(`${stays} is promoted: marking the data of ${admin.resource} here Outdated`);
  const output = await admin.run(['outdate', admin.resource], { timeoutMs: ctx.host.left() / 2 });
  if (output.code !== 0) ctx.log.warn(`drbdadm outdate ${admin.resource}: ${complaint(output)}`);
  return output.code === 0;
}
