import { type Admin, complaint, drbdadm } from '../../lib/host/drbd/admin.ts';
import { configurationOf } from '../../lib/host/drbd/configuration.ts';
import { fencingConstraints, prefixesIn } from '../../lib/host/drbd/fencing.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

const unfenceMs = 10_000;

/**
 * The handler asks the cluster many questions: it runs only when there is a constraint, or the cluster does not say. Whether one with a
 * prefix of its own is really for this resource is left to the handler, which knows what it writes, unless the configuration tells.
 * Returns what went wrong, if anything did.
 */
export async function unfencePeer(ctx: Ctx): Promise<string | undefined> {
  const { host, request, params } = ctx;
  const { resource, file } = wanted(ctx);
  const admin = drbdadm(host, resource, file);
  const constraints = await fencingConstraints(host, request, resource, () => prefixesOf(admin));
  if (constraints?.length === 0) return undefined;
  const output = await admin.run(['unfence-peer', resource], {
    timeoutMs: Math.min(unfenceMs, host.left() / 2),
    env: { OCF_RESKEY_unfence_extra_args: params.unfence_extra_args },
  });
  return output.code === 0 ? undefined : `unfence-peer: ${complaint(output)}`;
}

async function prefixesOf(admin: Admin): Promise<readonly string[] | 'any'> {
  const known = await configurationOf(admin).then(prefixesIn, () => []);
  return known.length > 0 ? known : 'any';
}
