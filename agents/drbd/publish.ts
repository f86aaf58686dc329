import { readBoolean } from '../../lib/contract/params.ts';
import { isByHand } from '../../lib/contract/request.ts';
import { writeNodeAttribute, writePromotionScore } from '../../lib/host/cluster.ts';
import type { KnownState } from '../../lib/host/drbd/query.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import type { Ctx } from './params.ts';
import { promotedElsewhere } from './peers.ts';
import { isPrimaryAndAllUpToDate, peerIsPrimaryWithData, type Score, scoreFor } from './score.ts';
import { type Message, tell, tellIfDue, toldBefore } from './tell.ts';
import { wanted } from './wanted.ts';

const scoreName = 'promotion score';

/** Tells the cluster how well this node could be promoted; `ifDue`: unless it knows. */
export async function publishScore(ctx: Ctx, state: KnownState, ifDue?: 'ifDue'): Promise<void> {
  const score = await scoreMessage(ctx, state);
  await (ifDue ? tellIfDue : tell)(ctx, score);
}

/** A monitor's news: the score, the state in a word, and that the peer may be promoted again. */
export async function publishAll(ctx: Ctx, state: KnownState, attribute: string | 'none'): Promise<void> {
  await tellIfDue(ctx, [
    ...(await scoreMessage(ctx, state)),
    ...(await stateMessage(ctx, attribute)),
    ...unfencing(ctx, state),
  ]);
}

/** What is left of a resource that has been stopped: nothing. */
export async function withdraw(ctx: Ctx): Promise<void> {
  await tell(ctx, [
    ...(await scoreMessage(ctx, { is: 'absent' })),
    ...(await stateMessage(ctx, 'none', 'always')),
  ]);
}

async function scoreMessage(ctx: Ctx, state: KnownState): Promise<readonly Message[]> {
  const score = state.is === 'configured' ? await chosenScore(ctx, state.resource) : 'none';
  if (score === 'unchanged') return [];
  const write = () => writePromotionScore(ctx.host, ctx.request, score);
  if (score === 'none') return [{ about: scoreName, value: 'none', write }];
  const isKept = async () =>
    (await import('../../lib/host/cluster-memory.ts')).isScoreKept(ctx.host, ctx.request, score);
  return [{ about: scoreName, value: String(score), write, isKept }];
}

/** Deleted when it is not wanted any more; `always` also when nothing is known of one. */
async function stateMessage(ctx: Ctx, attribute: string, always?: 'always'): Promise<readonly Message[]> {
  const name = `tsha-drbd-${wanted(ctx).resource}`;
  const value = ctx.params.state_attribute ? attribute : 'none';
  const before = (await toldBefore(ctx))[name]?.value ?? 'none';
  if (value === 'none' && before === 'none' && !(always && ctx.params.state_attribute)) return [];
  return [{ about: name, value, write: () => writeNodeAttribute(ctx.host, name, value) }];
}

function unfencing(ctx: Ctx, state: KnownState): readonly Message[] {
  if (!ctx.params.unfence_if_all_uptodate || isByHand(ctx.host.sys.env)) return [];
  const allUpToDate = state.is === 'configured' && isPrimaryAndAllUpToDate(state.resource);
  const write = async () => (allUpToDate ? (await import('./unfence.ts')).unfencePeer(ctx) : undefined);
  return [{ about: 'all data is UpToDate', value: String(allUpToDate), write }];
}

async function chosenScore(ctx: Ctx, resource: Resource): Promise<Score> {
  if (await mustYield(ctx, resource)) return 'none';
  return scoreFor(resource, wanted(ctx).scores, ctx.params.keep_promoted_score);
}

/** remove_master_score_if_peer_primary. A cluster that cannot be asked is not taken for one that knows nothing. */
async function mustYield(ctx: Ctx, resource: Resource): Promise<boolean> {
  const rule = ctx.params.remove_master_score_if_peer_primary;
  if (!peerIsPrimaryWithData(resource)) return false;
  if (rule !== 'unexpected') return readBoolean(rule) === true;
  if (wanted(ctx).promotedMax !== 1 || (await promotedElsewhere(ctx))?.length !== 0) return false;
  if ((await toldBefore(ctx))[scoreName]?.value !== 'none')
    ctx.log.info(
      `${resource.name}: a peer is Primary that the cluster has not promoted: giving up the promotion score`,
    );
  return true;
}
