import { complaint, drbdadm } from '../../lib/host/drbd/admin.ts';
import type { KnownState } from '../../lib/host/drbd/query.ts';
import type { Output } from '../../lib/host/sys/sys.ts';
import type { Ctx } from './params.ts';
import { isThisNode, notified } from './peers.ts';
import { wanted } from './wanted.ts';

/**
 * stop_outdates_secondary: while another node stays promoted, what lies here falls behind and must not be promoted later.
 * Says whether nothing here can be promoted any more.
 */
export async function outdateIfPeerIsPromoted(ctx: Ctx, state: KnownState): Promise<boolean> {
  if (!ctx.params.stop_outdates_secondary) return false;
  const isMe = await isThisNode(ctx);
  const stays = stayPromoted(ctx).find((name) => !isMe(name));
  if (!stays) return false;
  ctx.log.info(`${stays} is promoted: marking the data of ${wanted(ctx).resource} here Outdated`);
  return state.is === 'configured' ? outdateVolumes(ctx, state) : outdateMetaData(ctx);
}

/**
 * Pacemaker's list of the promoted is of before its transition, so those that are demoted or stopped in it do not count; and those that
 * are promoted in it do as soon as they are told to be so.
 */
function stayPromoted(ctx: Ctx): readonly string[] {
  const { request } = ctx;
  const leaving = [...notified(ctx, 'stop'), ...notified(ctx, 'demote')].map((name) => name.toLowerCase());
  const isPromoted = request.meta('notify_type') === 'post' && request.meta('notify_operation') === 'promote';
  return [
    ...notified(ctx, 'promoted').filter((name) => !leaving.includes(name.toLowerCase())),
    ...(isPromoted ? notified(ctx, 'promote') : []),
  ];
}

/** drbdsetup's exit code for "is worse than outdated already". */
const isWorse = 5;

/**
 * While the resource is up, volume by volume: drbdadm 9.22 asks the kernel of DRBD 9 in a way that it refuses, and then looks for the
 * meta-data of a device that is in use (exit 20).
 */
async function outdateVolumes(
  ctx: Ctx,
  { resource }: Extract<KnownState, { readonly is: 'configured' }>,
): Promise<boolean> {
  let isDone = true;
  for (const { volume, minor, disk } of resource.devices) {
    if (disk === 'Diskless' || disk === 'Outdated') continue;
    const argv = ['drbdsetup', 'outdate', String(minor)] as const;
    const output = await ctx.host.tryRun(argv, { timeoutMs: ctx.host.left() / 2 });
    if (output.code === 0 || output.code === isWorse) continue;
    isDone = false;
    tell(ctx, `volume ${volume}`, output);
  }
  return isDone;
}

/** Of a resource that is down: drbdadm writes it into the meta-data itself. */
async function outdateMetaData(ctx: Ctx): Promise<boolean> {
  const { resource, file } = wanted(ctx);
  const admin = drbdadm(ctx.host, resource, file);
  const output = await admin.run(['outdate', resource], { timeoutMs: ctx.host.left() / 2 });
  if (output.code !== 0) tell(ctx, 'drbdadm outdate', output);
  return output.code === 0;
}

const tell = (ctx: Ctx, what: string, output: Output): void =>
  ctx.log.warn(`${wanted(ctx).resource}: ${what} could not be marked Outdated: ${complaint(output)}`);
