import { Failure } from '../../lib/contract/outcome.ts';
import { type Admin, complaint, drbdadm } from '../../lib/host/drbd/admin.ts';
import type { KnownState } from '../../lib/host/drbd/query.ts';
import { type DrbdState, isPrimary } from '../../lib/host/drbd/state.ts';
import type { Version } from '../../lib/host/drbd/version.ts';
import { pursue } from '../../lib/host/drbd/watch.ts';
import { connect } from './connect.ts';
import { dataQuality } from './data.ts';
import { insist } from './insist.ts';
import { loadModule, suitableKernel } from './module.ts';
import type { Ctx } from './params.ts';
import { publishScore } from './publish.ts';
import type { Taken } from './renamed.ts';
import { parseScores } from './score.ts';
import { toSecondary } from './secondary.ts';
import { isRunning, look, named, requireOwnName, sentence } from './seen.ts';
import { requireTwoPrimaries } from './two-primaries.ts';
import { wanted } from './wanted.ts';

/** Secondary, attached, connected if the peers are there. Creates no meta-data, forces no role, discards no data. */
export async function start(ctx: Ctx): Promise<void> {
  const { host, log, params } = ctx;
  const { resource, file } = wanted(ctx);
  const admin = drbdadm(host, resource, file);
  if (!parseScores(params.adjust_master_score))
    log.warn(
      `adjust_master_score="${params.adjust_master_score}" is not four rising numbers: using the default`,
    );
  const devices = await admin.devices();
  const kernel = await suitableKernel(ctx);
  await requireTwoPrimaries(ctx, admin);
  await loadModule(ctx, admin);

  const before = await stateOf(ctx);
  if ('taken' in before) throw new Failure('failed', sentence(wanted(ctx), before));
  if (!isRunning(before)) {
    await create(admin, before);
    await nodesAppear(ctx, devices);
    await attach(ctx, admin, kernel);
  } else if (before.is === 'configured' && isPrimary(before.resource)) await demoteLeftover(ctx);
  if (!params.connect_only_after_promote) await connect(ctx, admin, kernel);

  const after = await settled(ctx);
  if (!isRunning(after)) throw new Failure('failed', `${resource} is not there after its start`);
  await publishScore(ctx, after);
}

const settleMs = 2000;

/** A handshake that is just going on decides what the disk is, and with it the score. */
async function settled(ctx: Ctx): Promise<KnownState> {
  let last: DrbdState | undefined;
  await pursue(ctx.host, wanted(ctx).resource, settleMs, async (state) => {
    last = state;
    const isUndecided = state.is === 'configured' && dataQuality(state.resource).changing;
    return state.is === 'unknown' || isUndecided ? 'wait' : 'done';
  });
  if (last === undefined || last.is === 'unknown') return stateOf(ctx);
  const seen = await named(ctx, last, ctx.host.left() / 2);
  requireOwnName(ctx, seen);
  return seen;
}

async function stateOf(ctx: Ctx): Promise<KnownState | Taken> {
  const seen = await look(ctx, ctx.host.left() / 4);
  requireOwnName(ctx, seen);
  return seen;
}

/** What is missing of it: a stop that failed can have left a resource without volumes. */
async function create(admin: Admin, before: KnownState): Promise<void> {
  const isThere = before.is === 'configured';
  if (isThere && before.resource.devices.length > 0) return;
  await admin.run(['check-resize', admin.resource]); // the disk may have grown while DRBD was down; nothing depends on it
  for (const command of isThere ? ['new-minor'] : ['new-resource', 'new-minor']) {
    const output = await admin.run([command, admin.resource]);
    if (output.code !== 0)
      throw new Failure('failed', `drbdadm ${command} ${admin.resource}: ${complaint(output)}`);
  }
}

const nodesMs = 60_000;
const nodesEveryMs = 100;

/** By udev or devtmpfs: what is mounted later needs them. */
async function nodesAppear({ host }: Ctx, devices: readonly string[]): Promise<void> {
  let missing = devices;
  const there = await host.until(
    async () => {
      const found = await Promise.all(
        devices.map((path) => host.sys.facts(path, 'follow').catch(() => undefined)),
      );
      missing = devices.filter((_, index) => found[index]?.kind !== 'block');
      return missing.length === 0;
    },
    Math.min(nodesMs, host.left() / 2),
    nodesEveryMs,
  );
  if (!there) throw new Failure('failed', `device node ${missing.join(', ')} does not appear (udev?)`);
}

async function attach(ctx: Ctx, admin: Admin, kernel: Version): Promise<void> {
  const words = kernel[0] >= 9 ? ['adjust', '--skip-net', admin.resource] : ['attach', admin.resource];
  const first = await admin.run(words);
  if (first.code === 0) return;
  await ctx.host.sys.sleep(1000); // udev or LVM may be looking at the disk this very moment
  const second = await admin.run(words);
  if (second.code === 0 || (await isAttached(ctx))) return;
  throw new Failure('failed', `${admin.resource} failed to attach: ${complaint(second)}`);
}

/** Another start that did not come to its end may have been here already. */
async function isAttached(ctx: Ctx): Promise<boolean> {
  const state = await stateOf(ctx);
  return (
    state.is === 'configured' &&
    state.resource.devices.length > 0 &&
    state.resource.devices.every(({ disk, client }) => client || disk !== 'Diskless')
  );
}

/** Start ends unpromoted, whoever made this node Primary before. */
async function demoteLeftover(ctx: Ctx): Promise<void> {
  ctx.log.warn(`${wanted(ctx).resource} is Primary before its start: making it Secondary`);
  await insist(ctx, {
    what: 'demoting before the start',
    reached: (state) => state.is === 'configured' && !isPrimary(state.resource),
    step: (admin, state) => toSecondary(ctx, admin, state),
  });
}
