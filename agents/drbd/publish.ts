import { writePromotionScore } from '../../lib/host/cluster.ts';
import { drbdadm } from '../../lib/host/drbd/admin.ts';
import type { KnownState } from '../../lib/host/drbd/query.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import { readBoolean } from '../../lib/ocf/params.ts';
import { promotedMax } from './clone.ts';
import { type Ctx, params } from './params.ts';
import { promotedElsewhere } from './peers.ts';
import {
  isPrimaryAndAllUpToDate,
  parseScores,
  peerIsPrimaryWithData,
  type Score,
  type Scores,
  scoreFor,
} from './score.ts';

/** What was last told to the cluster on this boot, and at which second of it. */
type Published = { readonly score: Score; readonly allUpToDate: boolean; readonly second: number };

const factName = 'published score';
/**
 * How long a recurring monitor relies on what it wrote: asking the cluster costs as much as writing, and each write may make it
 * compute a transition. The attribute goes when the node leaves the cluster, but then a probe writes it again; what is left is
 * somebody deleting it by hand.
 */
const trustedSeconds = 60;
const unfenceMs = 10_000;

/**
 * Tells the cluster how well this node could be promoted. `ifDue`, for recurring monitors: only when that has changed or was
 * told more than a minute ago. Never fails and never takes long: a score is no reason to fail an action.
 */
export async function publishScore(ctx: Ctx, state: KnownState, ifDue?: 'ifDue'): Promise<void> {
  const { host, log, memory, request, params: given } = ctx;
  const resource = state.kind === 'configured' ? state.resource : undefined;
  const score = resource ? await chosenScore(ctx, resource) : 'none';
  if (score === 'unchanged') return;
  const allUpToDate = resource !== undefined && isPrimaryAndAllUpToDate(resource);
  const second = Number((await host.sys.read('/proc/uptime').catch(() => '')).split(' ', 1)[0] || Number.NaN);
  if (ifDue) {
    const last = await memory.fact<Published>(factName);
    const isFresh = last !== undefined && second - last.second < trustedSeconds;
    if (isFresh && last.score === score && last.allUpToDate === allUpToDate) return;
  }

  const trouble = await writePromotionScore(host, request, score);
  if (trouble) log.warn(`promotion score ${score} not written: ${trouble}`);
  else await memory.note(factName, { score, allUpToDate, second } satisfies Published);
  if (allUpToDate && given.unfence_if_all_uptodate) await unfencePeer(ctx);
}

/** The scores to use: an impossible adjust_master_score counts as its default, as in the stock agent. */
const scoresOf = (text: string): Scores =>
  parseScores(text) ?? (parseScores(params.adjust_master_score.default) as Scores);

async function chosenScore(ctx: Ctx, resource: Resource): Promise<Score> {
  return (await mustYield(ctx, resource))
    ? 'none'
    : scoreFor(resource, scoresOf(ctx.params.adjust_master_score));
}

/** remove_master_score_if_peer_primary. A cluster that cannot be asked is not taken for one that knows nothing. */
async function mustYield(ctx: Ctx, resource: Resource): Promise<boolean> {
  const rule = ctx.params.remove_master_score_if_peer_primary;
  if (!peerIsPrimaryWithData(resource)) return false;
  if (rule !== 'unexpected') return readBoolean(rule) === true;
  return promotedMax(ctx.request) === 1 && (await promotedElsewhere(ctx))?.length === 0;
}

async function unfencePeer({ host, params: given }: Ctx): Promise<void> {
  const admin = drbdadm(host, given.drbd_resource, given.drbdconf);
  await admin.run(['unfence-peer', given.drbd_resource], {
    timeoutMs: Math.min(unfenceMs, host.left() / 2),
    env: { OCF_RESKEY_unfence_extra_args: given.unfence_extra_args },
  });
}
