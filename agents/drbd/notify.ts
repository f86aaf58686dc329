import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { knownState } from '../../lib/host/drbd/query.ts';
import { isPrimary, type Resource } from '../../lib/host/drbd/state.ts';
import { adjust } from './connect.ts';
import { dataQuality } from './data.ts';
import { outdateIfPeerIsPromoted } from './outdate.ts';
import type { Ctx } from './params.ts';
import { publishScore } from './publish.ts';
import { wanted } from './wanted.ts';

/** The whole cluster waits for every notification. */
const patienceMs = 5000;

/** A peer comes: (re)connect to it. Something has happened to a peer: the score may be another now. */
export async function notify(ctx: Ctx): Promise<void> {
  const { host, params, request } = ctx;
  const { resource, file } = wanted(ctx);
  const type = request.meta('notify_type');
  const operation = request.meta('notify_operation');
  const starting = operation === 'start' && !params.connect_only_after_promote;
  if (type !== 'post' && !(type === 'pre' && starting)) return;

  const state = await knownState(host, resource, patienceMs);
  // Never without the resource: adjust would bring it up behind Pacemaker's back.
  const adjusts = starting && state.is === 'configured' && (type === 'pre' || mustConnect(state.resource));
  const admin = drbdadm(host, resource, file);
  if (adjusts) await adjust(ctx, admin, state.kernel);
  if (type === 'pre') return;
  const now = adjusts ? await knownState(host, resource, patienceMs) : state;
  await publishScore(ctx, now, 'ifDue');
  if (now.is !== 'configured' || operation === 'start') return;
  if (!dataQuality(now.resource).somePeerUnknown) return;
  if (!params.stop_outdates_secondary) return;
  if (isPrimary(now.resource))
    ctx.log.crit(`${resource} is Primary here while a peer is out of sight: split brain is possible`);
  else if (await outdateIfPeerIsPromoted(ctx, now)) await publishScore(ctx, { is: 'absent' });
}

/**
 * Whether the notification after a start has to apply the configuration again. This node did it when it was told before the start, the
 * peer's agent did it by the start itself. Only a connection that DRBD does not take up by itself is still missing.
 */
const mustConnect = ({ connections }: Resource): boolean =>
  connections.length === 0 || connections.some(({ state }) => state === 'StandAlone');
