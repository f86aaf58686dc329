import { Failure } from '../../lib/contract/outcome.ts';
import { type Admin, drbdadm, lastWord } from '../../lib/host/drbd/admin.ts';
import {
  type Configured,
  isPrimary,
  isSameState,
  type Resource,
  secondaryVolumes,
} from '../../lib/host/drbd/state.ts';
import type { Version } from '../../lib/host/drbd/version.ts';
import { pursue } from '../../lib/host/drbd/watch.ts';
import type { Output } from '../../lib/host/sys/sys.ts';
import { adjust } from './connect.ts';
import { dataQuality } from './data.ts';
import { degradedStates } from './degraded.ts';
import type { Ctx } from './params.ts';
import { promotedElsewhere } from './peers.ts';
import { publishScore } from './publish.ts';
import { notable, reserveMs, secondsSince, withinReserve } from './time.ts';
import { requireTwoPrimaries } from './two-primaries.ts';
import { wanted } from './wanted.ts';

/** drbdsetup's exit code for "no UpToDate data within reach" (also: the peer could not be fenced). */
const noUpToDateData = 17;
/** The peer has UpToDate data, or may have, and could not be fenced. */
const peerNotOutdated = /State change failed: \(-7\)/;
/**
 * A refusal that only another state can change is not final before this long after the action began: Pacemaker would stop, start and
 * promote again in a tight circle, while a handshake that is just going on may bring the data within these seconds.
 */
const brakeMs = 15_000;
/** A promotion that waits for longer says why, before its time is over: a peer may be Primary that Pacemaker has lost. */
const patience = 10;

/** How far a promotion has come. */
type Progress = {
  /** The last refusal, in DRBD's words; '' before one. */
  readonly said: string;
  /** The last refusal and the state that it was for. */
  readonly refused?: { readonly state: Resource; readonly output: Output };
  /** Whether DRBD has been told. A node that is Primary only because its device is open is Secondary again when that is closed. */
  readonly isExplicit: boolean;
};

/** Primary, by the kernel's own word, on all volumes. DRBD decides whether the data allows it; nothing is forced. */
export async function promote(ctx: Ctx): Promise<void> {
  const { host, log, params } = ctx;
  const { resource: name, file } = wanted(ctx);
  const admin = drbdadm(host, name, file);
  await requireTwoPrimaries(ctx, admin);
  const since = host.sys.now();
  let progress: Progress = { said: '', isExplicit: false };
  const waitMs = Math.min(params.wfc_before_promote * 1000, host.left() / 2);
  let isTold = false;
  let isShortened = false;
  let kernel: Version | undefined;
  let isChecked = false;

  const done = await pursue(host, name, host.left() - reserveMs, async (state) => {
    if (state.is === 'unknown') {
      progress = { ...progress, said: state.why };
      return 'wait';
    }
    if (state.is !== 'configured')
      throw new Failure('failed', `${name} cannot be promoted: it is not started`);
    kernel = state.kernel;
    const isWaiting = isAlone(state.resource) && !isWhollyPrimary(state.resource);
    if (isWaiting && !isShortened && waitMs < params.wfc_before_promote * 1000) {
      isShortened = true;
      log.warn(
        `wfc_before_promote=${params.wfc_before_promote} is more than half of the time for a promotion: ${name} waits for a peer for ${Math.round(waitMs / 1000)} s`,
      );
    }
    const next = nextStep(state, progress, host.sys.now() - since, waitMs);
    if (!isTold && progress.said && secondsSince(host, since) >= patience) {
      isTold = true;
      log.warn(`${name} is not promoted yet, after ${patience} s: ${progress.said}`);
    }
    if (next === 'give up') throw refusal(name, progress);
    if (next !== 'try') return next;
    if (!isChecked && state.kernel[0] < 9)
      await (await import('./configured.ts')).requireOwnMinors(ctx, admin, state);
    isChecked = true;
    progress = await attempt(ctx, admin, state.resource, progress);
    return progress.refused ? 'wait' : 'again';
  });
  if (!done) throw refusal(name, progress);
  const waited = secondsSince(host, since);
  if (progress.said && waited >= notable) log.info(`promoting ${name} took ${waited} s: ${progress.said}`);
  if (params.connect_only_after_promote && kernel) await adjust(ctx, admin, kernel);
}

function nextStep(
  { resource, kernel }: Configured,
  { refused, isExplicit }: Progress,
  elapsedMs: number,
  waitMs: number,
): 'done' | 'wait' | 'try' | 'give up' {
  if (resource.devices.length === 0)
    throw new Failure('failed', `${resource.name} cannot be promoted: it has no volume`);
  if (isWhollyPrimary(resource) && (isExplicit || kernel[0] < firstWithAutoPromotion)) return 'done';
  if (isAlone(resource) && elapsedMs < waitMs) return 'wait';
  if (!refused || !isLasting(refused.output) || !isSameState(refused.state, resource)) return 'try';
  return elapsedMs >= brakeMs ? 'give up' : 'wait';
}

const firstWithAutoPromotion = 9;

async function attempt(ctx: Ctx, admin: Admin, resource: Resource, before: Progress): Promise<Progress> {
  if (before.refused) await requireNoStrangePrimary(ctx, resource);
  const output = await admin.run(['primary', admin.resource], withinReserve(ctx));
  if (output.code === 0) return { said: before.said, isExplicit: true };
  return { said: lastWord(before.said, output), refused: { state: resource, output }, isExplicit: false };
}

/** A promotion of DRBD 8.4 goes volume by volume and can end halfway. */
const isWhollyPrimary = (resource: Resource): boolean =>
  isPrimary(resource) && secondaryVolumes(resource).length === 0;

/** There are peers, and none of them is connected. */
const isAlone = ({ connections }: Resource): boolean =>
  connections.length > 0 && connections.every(({ state }) => state !== 'Connected');

/** Refused for the state the data and the peers are in: DRBD has looked at it and, where it has one, run its fence-peer handler. */
const isLasting = (output: Output): boolean => lacksData(output) || peerNotOutdated.test(output.stderr);

const lacksData = ({ code }: Output): boolean => code === noUpToDateData;

function refusal(name: string, { said, refused }: Progress): Failure {
  if (!refused || !lacksData(refused.output))
    return new Failure('failed', `promoting ${name} failed: ${said || 'it stays Secondary'}`);
  const facts = [...degradedStates(refused.state)].join(', ');
  return new Failure('failed', `${name}: refused to promote without UpToDate data (${facts || said})`);
}

/** fail_promote_early_if_peer_primary: a Primary that the cluster does not know will not go away by waiting. */
async function requireNoStrangePrimary(ctx: Ctx, resource: Resource): Promise<void> {
  if (!ctx.params.fail_promote_early_if_peer_primary) return;
  if (wanted(ctx).promotedMax !== 1 || !dataQuality(resource).somePeerPrimary) return;
  if ((await promotedElsewhere(ctx))?.length !== 0) return;
  await publishScore(ctx, { is: 'absent' });
  const reason = 'a peer is Primary although the cluster has promoted none';
  throw new Failure('failed', `${resource.name} cannot be promoted: ${reason}`);
}
