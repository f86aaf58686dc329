import { complaint, drbdadm } from '../../lib/host/drbd/admin.ts';
import { drbdState } from '../../lib/host/drbd/query.ts';
import { isPrimary, type Resource, secondaryVolumes } from '../../lib/host/drbd/state.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import { promotedMax } from './clone.ts';
import { adjust } from './connect.ts';
import { dataQuality } from './data.ts';
import type { Ctx } from './params.ts';
import { promotedElsewhere } from './peers.ts';
import { publishScore } from './publish.ts';
import { remarksOn } from './remarks.ts';
import { requireTwoPrimaries } from './two-primaries.ts';

/** drbdsetup's exit code for "no UpToDate data within reach" (also: the peer could not be fenced). */
const noUpToDateData = 17;
const reserveMs = 1500;
/**
 * A refusal for want of data is not answered at once: Pacemaker would stop, start and promote again in a tight circle, while a
 * handshake that is just going on may bring the data within these seconds.
 */
const brakeMs = 15_000;

/** Primary, by the kernel's own word, on all volumes. DRBD decides whether the data allows it; nothing is forced. */
export async function promote(ctx: Ctx): Promise<void> {
  const { host, params } = ctx;
  const admin = drbdadm(host, params.drbd_resource, params.drbdconf);
  await requireTwoPrimaries(ctx, admin);
  const end = host.left() - reserveMs;
  let said = '';
  let refused = false;
  const done = await host.until(async () => {
    const state = await drbdState(host, params.drbd_resource);
    if (state.kind === 'unknown') {
      said = state.why;
      return false;
    }
    if (state.kind !== 'configured')
      throw new Failure('failed', `${params.drbd_resource} cannot be promoted: it is not started`);
    if (isWhollyPrimary(state.resource)) return true;
    if (refused) await giveUpIfPeerIsPrimary(ctx, state.resource);
    const output = await admin.run(['primary', params.drbd_resource], { timeoutMs: host.left() - reserveMs });
    if (output.code === noUpToDateData) await awaitData(ctx, state.resource, complaint(output));
    else if (output.code !== 0) said = complaint(output);
    refused = output.code !== 0;
    return false;
  }, end);
  if (!done)
    throw new Failure('failed', `promoting ${params.drbd_resource} failed: ${said || 'it stays Secondary'}`);
  if (params.connect_only_after_promote) await adjust(ctx, admin);
}

/** A promotion of DRBD 8.4 goes volume by volume and can end halfway. */
const isWhollyPrimary = (resource: Resource): boolean =>
  isPrimary(resource) && secondaryVolumes(resource).length === 0;

/** Returns when the state changed, so that another try makes sense; throws when it did not. */
async function awaitData({ host, params }: Ctx, then: Resource, said: string): Promise<void> {
  const before = JSON.stringify(then);
  const changed = await host.until(
    async () => {
      const now = await drbdState(host, params.drbd_resource);
      return now.kind !== 'unknown' && JSON.stringify(now.kind === 'configured' && now.resource) !== before;
    },
    Math.min(brakeMs, host.left() - reserveMs),
  );
  if (changed) return;
  const facts = [...remarksOn(then)].join(', ');
  throw new Failure(
    'failed',
    `${params.drbd_resource}: refused to promote without UpToDate data (${facts || said})`,
  );
}

/** fail_promote_early_if_peer_primary: a Primary that the cluster does not know will not go away by waiting. */
async function giveUpIfPeerIsPrimary(ctx: Ctx, resource: Resource): Promise<void> {
  if (!ctx.params.fail_promote_early_if_peer_primary) return;
  if (promotedMax(ctx.request) !== 1 || !dataQuality(resource).somePeerPrimary) return;
  if ((await promotedElsewhere(ctx))?.length !== 0) return;
  await publishScore(ctx, { kind: 'absent' });
  const reason = 'a peer is Primary although the cluster has promoted none';
  throw new Failure('failed', `${resource.name} cannot be promoted: ${reason}`);
}
