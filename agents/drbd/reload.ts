import { Failure } from '../../lib/contract/outcome.ts';
import { complaint, drbdadm } from '../../lib/host/drbd/admin.ts';
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
  if (!isRunning(before)) {
    await publishScore(ctx, before);
    throw new Failure('failed', `${resource} cannot be reloaded: it is not started`);
  }
  const output = await drbdadm(host, resource, file).run(['adjust', resource]);
  const after = await look(ctx, host.left() / 2);
  requireOwnName(ctx, after);
  await publishScore(ctx, after);
  if (output.code !== 0) throw new Failure('failed', `drbdadm adjust ${resource}: ${complaint(output)}`);
}
