import { promotedNodes } from '../../lib/host/cluster.ts';
import { hostName } from '../../lib/host/host.ts';
import type { Ctx } from './params.ts';

type Group = 'start' | 'promote' | 'promoted' | 'unpromoted' | 'demote' | 'stop';

/** Before Pacemaker 2.1 the roles had other names. */
const formerly: Partial<Record<Group, string>> = { promoted: 'master', unpromoted: 'slave' };

/** Node names that Pacemaker passes to a clone with notify=true; a lone blank stands for an empty list. */
export function notified({ request }: Pick<Ctx, 'request'>, group: Group): readonly string[] {
  const former = formerly[group];
  const text =
    request.meta(`notify_${group}_uname`) ?? (former && request.meta(`notify_${former}_uname`)) ?? '';
  return text.split(/\s+/).filter(Boolean);
}

/** Whether a name means this node: as the cluster calls it, or as it calls itself. */
export async function isThisNode({
  host,
  request,
}: Pick<Ctx, 'host' | 'request'>): Promise<(name: string) => boolean> {
  const own = [request.meta('on_node') ?? '', await hostName(host).catch(() => '')].map((name) =>
    name.toLowerCase(),
  );
  return (name) => own.includes(name.toLowerCase());
}

/** The other node, as far as the environment of this action tells. Who is being stopped is no help. */
export async function likelyPeer(ctx: Ctx): Promise<string | undefined> {
  const isMe = await isThisNode(ctx);
  const groups = ['start', 'promote', 'promoted', 'unpromoted', 'demote'] as const;
  return groups.flatMap((group) => notified(ctx, group)).find((name) => !isMe(name));
}

/** Where else the cluster believes this resource to be promoted; `undefined` when it cannot be asked. */
export async function promotedElsewhere(ctx: Ctx): Promise<readonly string[] | undefined> {
  const [nodes, isMe] = await Promise.all([promotedNodes(ctx.host, ctx.request), isThisNode(ctx)]);
  return nodes?.filter((name) => !isMe(name));
}
