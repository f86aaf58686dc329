import { Failure } from '../../lib/contract/outcome.ts';
import type { Admin } from '../../lib/host/drbd/admin.ts';
import type { Configured } from '../../lib/host/drbd/state.ts';
import { isThere } from '../../lib/host/local-files.ts';
import type { Ctx } from './params.ts';

const configurationMs = 5000;
const bounded = ({ host }: Ctx) => ({ timeoutMs: Math.min(configurationMs, host.left() / 3) });

/** None where the configuration does not have the resource, or drbdadm does not work. */
export async function devicesOf(ctx: Ctx, admin: Admin): Promise<readonly string[]> {
  const { code, stdout } = await admin.run(['sh-dev', admin.resource], bounded(ctx));
  return code === 0 ? stdout.split('\n').filter((line) => line.startsWith('/')) : [];
}

/** As `devicesOf`. */
export async function minorsOf(ctx: Ctx, admin: Admin): Promise<readonly number[]> {
  const paths = await devicesOf(ctx, admin);
  const numbers = paths.map((path) => /^\/dev\/drbd(\d+)$/.exec(path)?.[1]);
  if (numbers.every((number) => number !== undefined)) return numbers.map(Number);
  const asked = await admin.run(['sh-minor', admin.resource], bounded(ctx));
  return asked.code === 0 ? (asked.stdout.match(/^\d+$/gm) ?? []).map(Number) : [];
}

/**
 * drbdadm promotes a resource of DRBD 8.4 by the minors that the configuration gives to it: renumbered while it runs, these are nobody's or
 * another resource's. A volume that is not made yet is no obstacle. Where the configuration cannot be read drbdadm says so itself.
 */
export async function requireOwnMinors(ctx: Ctx, admin: Admin, { resource }: Configured): Promise<void> {
  const given = await minorsOf(ctx, admin);
  if (given.length === 0) return;
  const up = resource.devices.map(({ minor }) => minor);
  const isOther = async (minor: number) =>
    !up.includes(minor) && (await isThere(ctx.host, `/sys/block/drbd${minor}`));
  const others = await Promise.all(given.map(isOther));
  if (up.every((minor) => given.includes(minor)) && !others.includes(true)) return;
  const words = `the configuration gives ${inWords(given)} to ${resource.name}, which runs on ${inWords(up)}`;
  throw new Failure('failed', words);
}

const inWords = (minors: readonly number[]): string =>
  `minor${minors.length > 1 ? 's' : ''} ${minors.join(', ')}`;
