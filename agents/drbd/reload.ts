import { Failure } from '../../lib/contract/outcome.ts';
import { complaint, drbdadm } from '../../lib/host/drbd/admin.ts';
import { knownState } from '../../lib/host/drbd/query.ts';
import { isRunning } from './monitor.ts';
import type { Ctx } from './params.ts';
import { publishScore } from './publish.ts';

/** Brings the running resource to what its configuration says now, and the score to what the parameters say now. */
export async function reload(ctx: Ctx): Promise<void> {
  const { host, params } = ctx;
  const state = await knownState(host, params.drbd_resource, host.left() / 2);
  if (!isRunning(state)) {
    await publishScore(ctx, state);
    throw new Failure('failed', `${params.drbd_resource} cannot be reloaded: it is not started`);
  }
  const admin = drbdadm(host, params.drbd_resource, params.drbdconf);
  const output = await admin.run(['adjust', params.drbd_resource]);
  await publishScore(ctx, await knownState(host, params.drbd_resource, host.left() / 2));
  if (output.code !== 0)
    throw new Failure('failed', `drbdadm adjust ${params.drbd_resource}: ${complaint(output)}`);
}
