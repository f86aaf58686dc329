import { Failure } from '../../lib/contract/outcome.ts';
import {
  type Admin,
  complaint,
  drbdadm,
  isConfigurationTrouble,
  lastWord,
} from '../../lib/host/drbd/admin.ts';
import type { Configured, DrbdState, Resource } from '../../lib/host/drbd/state.ts';
import { compareVersions, type Version } from '../../lib/host/drbd/version.ts';
import { pursue } from '../../lib/host/drbd/watch.ts';
import type { Host } from '../../lib/host/host.ts';
import { blockDeviceUsers } from '../../lib/host/storage/block-device-users.ts';
import type { Output } from '../../lib/host/sys/sys.ts';
import type { Ctx } from './params.ts';

/** What finding the openers of a busy device may take of the action's time. */
export const reserveMs = 1500;

type Wanted = {
  /** Whether this is where we want to be. */
  readonly reached: (state: DrbdState) => boolean;
  /** The next step from here. */
  readonly step: (admin: Admin, state: Configured) => Promise<Output>;
  readonly what: string;
};

/**
 * Looks, takes a step, looks again, until the kernel itself says that the goal is reached. Gives up shortly before the
 * operation's timeout with what is in the way: the last complaint and who keeps the device open.
 */
export async function insist(ctx: Ctx, { reached, step, what }: Wanted): Promise<DrbdState> {
  const { host, params } = ctx;
  const name = params.drbd_resource;
  const admin = drbdadm(host, name, params.drbdconf);
  const since = host.sys.now();
  let state: DrbdState = { kind: 'unknown', why: 'no time left to ask' };
  let said = '';
  const done = await pursue(host, name, host.left() - reserveMs, async (now) => {
    state = now;
    if (reached(now)) return 'done';
    if (now.kind === 'unknown') said = now.why;
    if (now.kind !== 'configured') return 'wait';
    const output = await step(admin, now);
    if (output.code === 0) return 'again';
    said = lastWord(said, output);
    return 'wait';
  });
  const waited = secondsSince(host, since);
  if (done) {
    if (said && waited >= notable) ctx.log.info(`${what} ${name} took ${waited} s: ${said}`);
    return state;
  }
  const users = await usersOf(ctx, state, said);
  const inTheWay = [users, said].filter(Boolean).join(': ');
  throw new Failure('failed', `${what} ${name} failed: ${inTheWay || `no effect after ${waited} s`}`);
}

async function usersOf({ host }: Ctx, state: DrbdState, said: string): Promise<string> {
  if (state.kind !== 'configured' || state.resource.role !== 'Primary') return '';
  const found: string[] = [];
  let isComplete = true;
  for (const { minor } of state.resource.devices) {
    const name = `drbd${minor}`;
    const end = host.sys.now() + host.left() / 2;
    const users = await blockDeviceUsers(
      host,
      { name, number: `${drbdMajor}:${minor}` },
      end - host.sys.now(),
    );
    isComplete &&= host.sys.now() < end;
    found.push(...users.map((user) => `/dev/${name} ${user}`));
  }
  if (found.length > 0) return found.join(', ');
  return isComplete && said.includes('held open') ? 'nobody visible in /proc uses its device' : '';
}

/** From here on a wait is worth a line in the log. */
export const notable = 1;

export const secondsSince = ({ sys }: Host, ms: number): number => Math.round((sys.now() - ms) / 1000);

const drbdMajor = 147;

/** Makes this node Secondary; without a usable configuration by the kernel's own names. */
export async function toSecondary(ctx: Ctx, admin: Admin, state: Configured): Promise<Output> {
  const { host } = ctx;
  const { resource, kernel } = state;
  const output = await admin.run(['secondary', admin.resource], withinReserve(ctx));
  if (output.code === 0) return output;
  if (mayForce(ctx, state)) return force(ctx, state, complaint(output));
  if (!isConfigurationTrouble(output)) return output;
  ctx.log.warn(`drbdadm cannot work (${complaint(output)}): using drbdsetup`);
  if (kernel[0] >= 9) return host.tryRun(['drbdsetup', 'secondary', resource.name], withinReserve(ctx));
  let last: Output = output;
  for (const { minor } of resource.devices)
    last = await host.tryRun(['drbdsetup', 'secondary', String(minor)], withinReserve(ctx));
  return last;
}

const lastResortMs = 15_000;
const firstWithForce: Version = [9, 1, 7];

/** demote_force: only when most of the time has passed in vain. */
const mayForce = ({ host, params, request }: Ctx, { kernel }: Configured): boolean =>
  params.demote_force &&
  compareVersions(kernel, firstWithForce) >= 0 &&
  host.left() < Math.min(lastResortMs, request.timeoutMs / 2);

/** Whoever has the device open gets I/O errors from now on; what was acknowledged to them is on disk. */
async function force(ctx: Ctx, state: Configured, said: string): Promise<Output> {
  const users = await usersOf(ctx, state, said);
  ctx.log.crit(`${state.resource.name}: made Secondary by force, against ${users || said}`);
  return ctx.host.tryRun(['drbdsetup', 'secondary', '--force=yes', state.resource.name], withinReserve(ctx));
}

/** Takes the resource out of the kernel; without a usable configuration by the kernel's own name. */
export async function takeDown(
  ctx: Ctx,
  admin: Admin,
  { resource }: { resource: Resource },
): Promise<Output> {
  const output = await admin.run(['down', admin.resource], withinReserve(ctx));
  if (output.code === 0 || !isConfigurationTrouble(output)) return output;
  ctx.log.warn(`drbdadm cannot work (${complaint(output)}): using drbdsetup`);
  return ctx.host.tryRun(['drbdsetup', 'down', resource.name], withinReserve(ctx));
}

/** Time for a command that must leave some for explaining its failure. */
export const withinReserve = ({ host }: Ctx) => ({
  timeoutMs: Math.max(host.left() - reserveMs, host.left() / 2),
});
