import { Failure } from '../../lib/contract/outcome.ts';
import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { isOnlyCreated } from '../../lib/host/drbd/drbd84.ts';
import type { Owner } from '../../lib/host/drbd/events2.ts';
import { type KnownState, knownState, minorsUp } from '../../lib/host/drbd/query.ts';
import type { SplitBrain } from '../../lib/host/drbd/split-brain.ts';
import { type Configured, isPrimary, type Resource } from '../../lib/host/drbd/state.ts';
import { degradedStates } from './degraded.ts';
import type { Ctx } from './params.ts';
import { type Wanted, wanted } from './wanted.ts';

/** What the kernel shows of the resource. */
export type Seen = KnownState | Renamed;

/** No resource of this name, but a minor of this resource is up as somebody else's: it was renamed in the kernel. */
export type Renamed = { readonly is: 'renamed'; readonly owner: Owner };

/**
 * Asks the kernel, for at most so long; throws `Failure` when it does not say. "Absent" is certain: neither the name nor a minor of
 * this resource, by its configuration or as it was seen last, is up.
 */
export const look = async (ctx: Ctx, patienceMs: number): Promise<Seen> =>
  named(ctx, await knownState(ctx.host, wanted(ctx).resource, patienceMs));

/** Completes what the kernel says about the name with what it says about the minors. */
export async function named(ctx: Ctx, state: KnownState): Promise<Seen> {
  if (state.is === 'configured') await rememberMinors(ctx, state.resource);
  if (state.is !== 'absent') return state;
  const owner = await strangeOwner(ctx);
  return owner ? { is: 'renamed', owner } : state;
}

/** DRBD 9 runs as soon as the resource has a volume; 8.4 calls it unconfigured until it has a disk or a connection. */
export const isRunning = (seen: Seen): boolean =>
  seen.is === 'configured' && (isPrimary(seen.resource) || isUsable(seen));

const isUsable = ({ resource, kernel }: Configured): boolean =>
  resource.devices.length > 0 && !(kernel[0] < 9 && isOnlyCreated(resource));

/** A name in the kernel that the configuration does not know is neither running nor stopped. */
export function requireOwnName(ctx: Ctx, seen: Seen): asserts seen is KnownState {
  if (seen.is === 'renamed') throw new Failure('failed', sentence(wanted(ctx), seen));
}

/** What is seen, for a person. */
export function sentence({ resource }: Wanted, seen: Seen, splits: readonly SplitBrain[] = []): string {
  switch (seen.is) {
    case 'absent-module':
      return 'the DRBD kernel module is not loaded';
    case 'absent':
      return 'the kernel has no DRBD resource of this name';
    case 'renamed': {
      const { name, minor, role } = seen.owner;
      return `minor ${minor} of ${resource} is up in the kernel as ${name} (${role}): drbdsetup rename-resource ${name} ${resource}`;
    }
    case 'configured': {
      if (seen.resource.devices.length > 0 && !isRunning(seen))
        return 'created, but neither attached nor connected';
      const degraded = [...degradedStates(seen.resource, splits)];
      return degraded.join('; ') || 'connected to every peer, all data UpToDate';
    }
  }
}

/** A minor and the number that the kernel gave to this disk of it; a minor that is removed and made anew has another. */
type Minor = { readonly minor: number; readonly disk: string };
const factName = 'minors';

async function rememberMinors({ host, memory }: Ctx, { devices }: Resource): Promise<void> {
  const now = await Promise.all(
    devices.map(async ({ minor }): Promise<Minor> => ({ minor, disk: await diskNumber({ host }, minor) })),
  );
  const before = (await memory.fact<readonly Minor[]>(factName)) ?? [];
  if (JSON.stringify(now) !== JSON.stringify(before)) await memory.note(factName, now);
}

export const forgetMinors = async ({ memory }: Ctx): Promise<void> => {
  if (await memory.fact(factName)) await memory.note(factName, undefined);
};

/** From Linux 5.15 on; '' on older ones. */
const diskNumber = async ({ host }: Pick<Ctx, 'host'>, minor: number): Promise<string> =>
  (await host.sys.read(`/sys/block/drbd${minor}/diskseq`).catch(() => '')).trim();

async function strangeOwner(ctx: Ctx): Promise<Owner | undefined> {
  const up = await minorsUp(ctx.host);
  if ('why' in up) throw new Failure('failed', `the state of DRBD is unknown: ${up.why}`);
  if (up.length === 0) return undefined;
  const remembered = (await ctx.memory.fact<readonly Minor[]>(factName)) ?? [];
  for (const { minor, disk } of remembered) {
    const owner = up.find((one) => one.minor === minor);
    if (owner && (disk === '' || disk === (await diskNumber(ctx, minor)))) return owner;
  }
  const configured = await configuredMinors(ctx);
  return up.find(({ minor }) => configured.includes(minor));
}

const configurationMs = 5000;

/** None where the configuration does not have the resource, or drbdadm does not work. */
async function configuredMinors(ctx: Ctx): Promise<readonly number[]> {
  const { resource, file } = wanted(ctx);
  const admin = drbdadm(ctx.host, resource, file);
  const timeoutMs = Math.min(configurationMs, ctx.host.left() / 3);
  const { code, stdout } = await admin.run(['sh-dev', resource], { timeoutMs });
  const paths = code === 0 ? stdout.split('\n').filter((line) => line.startsWith('/')) : [];
  const numbers = paths.map((path) => /^\/dev\/drbd(\d+)$/.exec(path)?.[1]);
  if (numbers.every((number) => number !== undefined)) return numbers.map(Number);
  const asked = await admin.run(['sh-minor', resource], { timeoutMs });
  return asked.code === 0 ? (asked.stdout.match(/^\d+$/gm) ?? []).map(Number) : [];
}
