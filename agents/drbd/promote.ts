import { Failure } from '../../lib/contract/outcome.ts';
import { drbdadm, lastWord } from '../../lib/host/drbd/admin.ts';
import type { DrbdState, Resource } from '../../lib/host/drbd/state.ts';
import { isPrimary, isSameState, secondaryVolumes } from '../../lib/host/drbd/state.ts';
import { type Next, pursue } from '../../lib/host/drbd/watch.ts';
import { promotedMax } from './clone.ts';
import { requireTwoPrimaries } from './configuration.ts';
import { adjust } from './connect.ts';
import { dataQuality } from './data.ts';
import type { Ctx } from './params.ts';
import { promotedElsewhere } from './peers.ts';
import { publishScore } from './publish.ts';
import { notable, reserveMs, secondsSince, withinReserve } from './release.ts';
import { remarksOn } from './remarks.ts';

/** drbdsetup's exit code for "no UpToDate data within reach" (also: the peer could not be fenced). */
const noUpToDateData = 17;
/**
 * A refusal for want of data is not final before this long after the action began: Pacemaker would stop, start and promote again
 * in a tight circle, while a handshake that is just going on may bring the data within these seconds.
 */
const brakeMs = 15_000;

/** Primary, by the kernel's own word, on all volumes. DRBD decides whether the data allows it; nothing is forced. */
export async function promote(ctx: Ctx): Promise<void> {
  const { host, log, params } = ctx;
  const name = params.drbd_resource;
  const admin = drbdadm(host, name, params.drbdconf);
  await requireTwoPrimaries(ctx, admin);
  const since = host.sys.now();
  let said = '';
  /** The state that was no good for a promotion. */
  let refused: Resource | undefined;
  let lacksData = false;

  const attempt = async (resource: Resource): Promise<Next> => {
    if (refused) await giveUpIfPeerIsPrimary(ctx, resource);
    const output = await admin.run(['primary', name], withinReserve(ctx));
    if (output.code === 0) return 'again';
    said = lastWord(said, output);
    refused = resource;
    lacksData = output.code === noUpToDateData;
    return 'wait';
  };
  const look = async (state: DrbdState): Promise<Next> => {
    if (state.kind === 'unknown') {
      said = state.why;
      return 'wait';
    }
    if (state.kind !== 'configured')
      throw new Failure('failed', `${name} cannot be promoted: it is not started`);
    const { resource } = state;
    if (isWhollyPrimary(resource)) return 'done';
    if (isAlone(resource) && host.sys.now() - since < params.wfc_before_promote * 1000) return 'wait';
    if (!lacksData || !refused || !isSameState(refused, resource)) return attempt(resource);
    if (host.sys.now() - since >= brakeMs) throw lackOfData(resource, said);
    return 'wait';
  };
  const done = await pursue(host, name, host.left() - reserveMs, look);
  if (!done) {
    if (refused && lacksData) throw lackOfData(refused, said);
    throw new Failure('failed', `promoting ${name} failed: ${said || 'it stays Secondary'}`);
  }
  const waited = secondsSince(host, since);
  if (said && waited >= notable) log.info(`promoting ${name} took ${waited} s: ${said}`);
  if (params.connect_only_after_promote) await adjust(ctx, admin);
}

/** A promotion of DRBD 8.4 goes volume by volume and can end halfway. */
const isWhollyPrimary = (resource: Resource): boolean =>
  isPrimary(resource) && secondaryVolumes(resource).length === 0;

/** There are peers, and none of them is connected. */
const isAlone = ({ connections }: Resource): boolean =>
  connections.length > 0 && connections.every(({ state }) => state !== 'Connected');

function lackOfData(resource: Resource, said: string): Failure {
  const facts = [...remarksOn(resource)].join(', ');
  return new Failure(
    'failed',
    `${resource.name}: refused to promote without UpToDate data (${facts || said})`,
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
