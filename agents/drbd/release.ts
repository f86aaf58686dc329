import { blockDeviceUsers } from '../../lib/host/block-device-users.ts';
import { type Admin, complaint, drbdadm, isConfigurationTrouble } from '../../lib/host/drbd/admin.ts';
import { drbdState } from '../../lib/host/drbd/query.ts';
import type { Configured, DrbdState, Resource } from '../../lib/host/drbd/state.ts';
import type { Output } from '../../lib/host/sys.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import type { Ctx } from './params.ts';

/** What finding the openers of a busy device may take of the action's time. */
const reserveMs = 1500;

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
  const admin = drbdadm(host, params.drbd_resource, params.drbdconf);
  let state: DrbdState = { kind: 'unknown', why: 'no time left to ask' };
  let said = '';
  const done = await host.until(async () => {
    state = await drbdState(host, params.drbd_resource);
    if (reached(state)) return true;
    if (state.kind === 'unknown') said = state.why;
    if (state.kind !== 'configured') return false;
    const output = await step(admin, state);
    if (output.code !== 0) said = complaint(output);
    return false;
  }, host.left() - reserveMs);
  if (done) return state;
  const users = await usersOf(ctx, state, said);
  throw new Failure(
    'failed',
    [`${what} ${params.drbd_resource} failed`, users, said].filter(Boolean).join(': '),
  );
}

async function usersOf({ host }: Ctx, state: DrbdState, said: string): Promise<string> {
  if (state.kind !== 'configured' || state.resource.role !== 'Primary') return '';
  const found: string[] = [];
  for (const { minor } of state.resource.devices) {
    const name = `drbd${minor}`;
    const users = await blockDeviceUsers(host, { name, number: `${drbdMajor}:${minor}` });
    found.push(...users.map((user) => `/dev/${name} ${user}`));
  }
  if (found.length > 0) return found.join(', ');
  return said.includes('held open') ? 'nobody visible in /proc uses its device' : '';
}

const drbdMajor = 147;

/** Makes this node Secondary; without a usable configuration by the kernel's own names. */
export async function toSecondary(ctx: Ctx, admin: Admin, { resource, kernel }: Configured): Promise<Output> {
  const { host } = ctx;
  const output = await admin.run(['secondary', admin.resource], withinReserve(ctx));
  if (output.code === 0 || !isConfigurationTrouble(output)) return output;
  ctx.log.warn(`drbdadm cannot work (${complaint(output)}): using drbdsetup`);
  if (kernel[0] >= 9) return host.tryRun(['drbdsetup', 'secondary', resource.name], withinReserve(ctx));
  let last: Output = output;
  for (const { minor } of resource.devices)
    last = await host.tryRun(['drbdsetup', 'secondary', String(minor)], withinReserve(ctx));
  return last;
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

const withinReserve = ({ host }: Ctx) => ({ timeoutMs: host.left() - reserveMs });
