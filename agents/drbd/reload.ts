import { Failure } from '../../lib/contract/outcome.ts';
import { knowsDegraded } from '../../lib/host/cluster.ts';
import { complaint, drbdadm } from '../../lib/host/drbd/admin.ts';
import { adjusted } from './connect.ts';
import type { Ctx } from './params.ts';
import { publishScore } from './publish.ts';
import { isRunning, look, requireOwnName } from './seen.ts';
import { wanted } from './wanted.ts';

/** Brings the running resource to what its configuration says now, and the score to what the parameters say now. */
export async function reload(ctx: Ctx): Promise<void> {
  const { host } = ctx;
  const { resource, file } = wanted(ctx);
  const before = await look(ctx, host.left() / 2);
  requireOwnName(ctx, before);
  if (before.is !== 'configured' || !isRunning(before)) {
    await publishScore(ctx, before);
    throw new Failure('failed', `${resource} cannot be reloaded: it is not started`);
  }
  const output = await adjusted(ctx, drbdadm(host, resource, file), before.kernel);
  const after = await look(ctx, host.left() / 2);
  requireOwnName(ctx, after);
  await publishScore(ctx, after);
  if (output.code === 0) return;
  const trouble = `drbdadm adjust ${resource}: ${complaint(output)}`;
  if (!isPacemakers(ctx)) throw new Failure('failed', trouble);
  ctx.log.warn(trouble);
}

/**
 * Pacemaker restarts what cannot be reloaded, on every node: a typo in a file must not stop a healthy Primary that then cannot start. Its
 * own reload has a name that nobody else uses; before 2.1 it had not.
 */
const isPacemakers = ({ request }: Ctx): boolean =>
  request.action === 'reload-agent' || Boolean(request.featureSet && !knowsDegraded(request));
