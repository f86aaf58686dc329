import { type Admin, complaint, didNotWork, openersIn } from '../../lib/host/drbd/admin.ts';
import type { Configured } from '../../lib/host/drbd/state.ts';
import { compareVersions, type Version } from '../../lib/host/drbd/version.ts';
import type { Argv, Output } from '../../lib/host/sys/sys.ts';
import { holdersNow } from './insist.ts';
import type { Ctx } from './params.ts';
import { untilReserve, withinReserve } from './time.ts';

/** Makes this node Secondary; where drbdadm itself does not work, by the kernel's own name. */
export async function toSecondary(ctx: Ctx, admin: Admin, state: Configured): Promise<Output> {
  const { resource, kernel } = state;
  if (kernel[0] < 9) return minorsToSecondary(ctx, state);
  const argvs = [['drbdsetup', 'secondary', resource.name] as const];
  const force = mayForce(ctx, state);
  const output = await withoutDrbdadm(ctx, admin, 'secondary', argvs, () =>
    Math.min(
      untilReserve(ctx.host),
      force ? Math.max(untilLastStretch(ctx), shortMs) : Number.POSITIVE_INFINITY,
    ),
  );
  return output.code !== 0 && mayForce(ctx, state) && isLastStretch(ctx)
    ? forced(ctx, state, output)
    : output;
}

/**
 * DRBD 8.4 has a role for each minor, and drbdadm takes the minors of the configuration for the resource's, which may be another's by now.
 * The kernel's own need no configuration.
 */
async function minorsToSecondary({ host }: Ctx, { resource }: Configured): Promise<Output> {
  let output: Output = { code: 0, stdout: '', stderr: '' };
  for (const { minor, role } of resource.devices) {
    if (role === 'Secondary') continue;
    output = await host.tryRun(['drbdsetup', 'secondary', String(minor)], { timeoutMs: untilReserve(host) });
    if (output.code !== 0) return output;
  }
  return output;
}

/**
 * One change of a resource that runs, by drbdadm; where that does not work for whatever reason, by drbdsetup, which needs no
 * configuration. drbdadm gets half of the time, since it may hang as well. Never for a promotion: the kernel calls drbdadm for
 * fence-peer, so a promotion is not safe where that does not work.
 */
export async function withoutDrbdadm(
  { host, log }: Ctx,
  admin: Admin,
  command: 'secondary' | 'down',
  argvs: readonly Argv[],
  withinMs: () => number,
): Promise<Output> {
  const first = await admin.run([command, admin.resource], { timeoutMs: withinMs() / 2 });
  if (!didNotWork(first)) return first;
  log.warn(`drbdadm ${command} ${admin.resource}: ${complaint(first)}: using drbdsetup`);
  let output = first;
  for (const argv of argvs) {
    output = await host.tryRun(argv, { timeoutMs: withinMs() });
    if (output.code !== 0) return output.missing ? first : output;
  }
  return output;
}

const lastStretchMs = 15_000;
const firstWithForce: Version = [9, 1, 7];
/** What a command may take that was tried in vain before, when it is time for force. */
const shortMs = 1000;

/** Most of the time has passed in vain: from here on nothing that is done can cost more than a failure would. */
export const isLastStretch = (ctx: Ctx): boolean => untilLastStretch(ctx) <= 0;

/** demote_force. */
const mayForce = ({ params }: Ctx, { kernel }: Configured): boolean =>
  params.demote_force && compareVersions(kernel, firstWithForce) >= 0;

/** 15 s before Pacemaker's timeout, or the last half of a short one. */
const untilLastStretch = ({ host, request: { timeoutMs } }: Ctx): number =>
  timeoutMs - Math.min(lastStretchMs, timeoutMs / 2) - host.sys.now();

/** What naming those who lose by it may take. */
const namingMs = 1000;

/** Whoever has the device open gets I/O errors from now on; what was acknowledged to them is on disk. */
async function forced(ctx: Ctx, state: Configured, refusal: Output): Promise<Output> {
  const said = complaint(refusal);
  const users = await holdersNow(ctx, state, { said, openers: openersIn(refusal) }, namingMs);
  ctx.log.crit(`${state.resource.name}: made Secondary by force, against ${users || said}`);
  return ctx.host.tryRun(['drbdsetup', 'secondary', '--force=yes', state.resource.name], withinReserve(ctx));
}
