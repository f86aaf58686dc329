import { Failure } from '../../lib/contract/outcome.ts';
import { isOnlyCreated } from '../../lib/host/drbd/drbd84.ts';
import type { Owner } from '../../lib/host/drbd/owners.ts';
import { type KnownState, knownState } from '../../lib/host/drbd/query.ts';
import type { SplitBrain } from '../../lib/host/drbd/split-brain.ts';
import { type Configured, isPrimary } from '../../lib/host/drbd/state.ts';
import { degradedStates } from './degraded.ts';
import { rememberMinors } from './minors.ts';
import type { Ctx } from './params.ts';
import type { Renamed, Taken } from './renamed.ts';
import { type Wanted, wanted } from './wanted.ts';

/** What the kernel shows of the resource. */
export type Seen = KnownState | Taken | Renamed;

/**
 * Asks the kernel, for at most so long; throws `Failure` when it does not say. "Absent" is certain: neither the name is up nor
 * a minor that this resource was seen on last, nor as a Primary that no configuration knows one that is configured for it.
 */
export const look = async (ctx: Ctx, patienceMs: number): Promise<Seen> =>
  named(ctx, await knownState(ctx.host, wanted(ctx).resource, patienceMs), patienceMs);

/** Completes what the kernel says about the name with what it says about the minors, asked for at most so long. */
export async function named(ctx: Ctx, state: KnownState, patienceMs: number): Promise<Seen> {
  if (state.is === 'configured') await rememberMinors(ctx, state.resource);
  if (state.is !== 'absent') return state;
  const strange = await (await import('./renamed.ts')).strangeOwner(ctx, patienceMs);
  if (strange?.is === 'absent') ctx.log.warn(sentence(wanted(ctx), strange));
  return strange ?? state;
}

/** DRBD 9 runs as soon as the resource has a volume; 8.4 calls it unconfigured until it has a disk or a connection. */
export const isRunning = (seen: Seen): boolean =>
  seen.is === 'configured' && (isPrimary(seen.resource) || isUsable(seen));

const isUsable = ({ resource, kernel }: Configured): boolean =>
  resource.devices.length > 0 && !(kernel[0] < 9 && isOnlyCreated(resource));

/** A name in the kernel that the configuration does not know is neither running nor stopped. */
export function requireOwnName(ctx: Ctx, seen: Seen): asserts seen is KnownState | Taken {
  if (seen.is === 'renamed') throw new Failure('failed', sentence(wanted(ctx), seen));
}

/** What is seen, for a person. */
export function sentence({ resource }: Wanted, seen: Seen, splits: readonly SplitBrain[] = []): string {
  switch (seen.is) {
    case 'absent-module':
      return 'the DRBD kernel module is not loaded';
    case 'absent':
      return 'taken' in seen
        ? `${ownedBy(resource, seen.taken)}, another resource: there is no ${resource}`
        : 'the kernel has no DRBD resource of this name';
    case 'renamed': {
      const rename = `drbdsetup rename-resource ${seen.owner.name} ${resource}`;
      return `${ownedBy(resource, seen.owner)}: ${seen.isRemembered ? rename : `if that is ${resource}, renamed: ${rename}; if not, another minor for ${resource}`}`;
    }
    case 'configured': {
      if (seen.resource.devices.length > 0 && !isRunning(seen))
        return 'created, but neither attached nor connected';
      const degraded = [...degradedStates(seen.resource, splits)];
      return degraded.join('; ') || 'connected to every peer, all data UpToDate';
    }
  }
}

const ownedBy = (resource: string, { name, minor, role }: Owner): string =>
  `minor ${minor} of ${resource} is up in the kernel as ${name} (${role})`;
