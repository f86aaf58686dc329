import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { knownState } from '../../lib/host/drbd/query.ts';
import { isPrimary, type Resource } from '../../lib/host/drbd/state.ts';
import { adjust, adjust84 } from './connect.ts';
import { dataQuality } from './data.ts';
import { outdateIfPeerIsPromoted } from './outdate.ts';
import type { Ctx } from './params.ts';
import { publishScore } from './publish.ts';

/** The whole cluster waits for every notification. */
const patienceMs = 5000;

/**
 * After a start: the configuration was applied before it, on the peer by its start; what is left is a connection that does not
 * come about by itself. Never without the resource: adjust would bring it up behind Pacemaker's back.
 */
const mustConnect = ({ connections }: Resource): boolean =>
  connections.length === 0 || connections.some(({ state }) => state === 'StandAlone');

/** A peer comes: (re)connect to it. Something has happened to a peer: the score may be another now. */
export async function notify(ctx: Ctx): Promise<void> {
  const { host, log, params, request } = ctx;
  const type = request.meta('notify_type');
  const operation = request.meta('notify_operation');
  const starting = operation === 'start' && !params.connect_only_after_promote;
  if (type !== 'post' && !(type === 'pre' && starting)) return;

  const admin = drbdadm(host, params.drbd_resource, params.drbdconf);
  const state = await knownState(host, params.drbd_resource, patienceMs);
  const adjusts = starting && state.kind === 'configured' && (type === 'pre' || mustConnect(state.resource));
  if (adjusts) await (state.kernel[0] >= 9 ? adjust(ctx, admin) : adjust84(ctx, admin));
  if (type === 'pre') return;
  const now = adjusts ? await knownState(host, params.drbd_resource, patienceMs) : state;
  await publishScore(ctx, now, 'ifDue');
  if (now.kind !== 'configured' || operation === 'start') return;
  if (!dataQuality(now.resource).somePeerUnknown) return;
  if (!params.stop_outdates_secondary) return;
  if (isPrimary(now.resource))
    log.crit(`${params.drbd_resource} is Primary here while a peer is out of sight: split brain is possible`);
  else if (await outdateIfPeerIsPromoted(ctx, admin)) await publishScore(ctx, { kind: 'absent' });
}
