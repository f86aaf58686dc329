import { Failure } from '../../lib/contract/outcome.ts';
import { kernelName } from '../../lib/host/storage/block-devices.ts';
import type { MountUser } from '../../lib/host/storage/mount-users.ts';
import type { Mount } from '../../lib/host/storage/mounts.ts';
import { type Block, describeDetached, releaseElsewhere } from './elsewhere.ts';
import { nameUsers } from './evict.ts';
import { readForce, signalsOf } from './force.ts';
import { isDriven } from './fstypes.ts';
import { openersOf, overlaysOn } from './holders.ts';
import { describeElsewhere } from './namespaces.ts';
import type { Ctx } from './params.ts';
import { diskOf } from './seen.ts';
import type { Seen } from './situation.ts';
import { isStray, strayDisk } from './stray.ts';

/** What a stop unmounted last. */
export type Last = {
  readonly mount: Mount;
  /** `major:minor` of the disk underneath, if there is one. */
  readonly disk: string | undefined;
};

export const lastOf = async (ctx: Ctx, seen: Seen & { readonly mount: Mount }): Promise<Last> => ({
  mount: seen.mount,
  disk: await diskOf(ctx, seen),
});

/**
 * A filesystem that is mounted nowhere here may still be active: another mount namespace has it, somebody unmounted it lazily, an
 * overlay has layers on it, or its driver, a process, has not let go of the disk. The other node must not mount it before that
 * ends.
 */
export async function requireReleased(ctx: Ctx, seen: Seen, last: Last | undefined): Promise<void> {
  const { params, host } = ctx;
  const { source } = seen.wanted;
  if (source.is === 'bind' || source.is === 'memory') return;
  const disk = last?.disk ?? (await strayDisk(ctx, seen));
  const driven = await drivenSource(ctx, seen, disk, last?.mount.type ?? params.fstype);
  const device = last?.mount.device ?? disk;
  if (source.is === 'named' ? driven === undefined : device === undefined) return;
  if (seen.table.some((mount) => mount.device === device)) return; // in use elsewhere on this node, by somebody else
  let drivers: readonly MountUser[] = [];
  const isActive = async () => {
    drivers = driven === undefined ? [] : await openersOf(host, driven);
    if (drivers.length > 0) return true;
    if (device === undefined) return false;
    if (disk !== undefined && (await isStray(host, disk))) return true;
    if (last === undefined || tellsInSysfs(last.mount)) return false;
    return (await describeElsewhere(host, { ...last.mount, device })).length > 0;
  };
  if (!(await isActive())) return;

  const target = last?.mount.target ?? seen.wanted.directory;
  const patienceMs = Math.min(host.left() * patience, host.left() - explainMs);
  const block = device === undefined ? undefined : { ...last?.mount, device, target };
  if (await letGo(ctx, block, isActive, patienceMs)) return;
  const until = host.sys.now() + host.left() * patience;
  const why = [
    ...(drivers.length > 0 ? [nameUsers(drivers)] : []),
    ...(block === undefined ? [] : await describeElsewhere(host, block, until)),
    ...(await overlaysOn(host, { target }, until)),
    ...(block === undefined ? [] : [await describeDetached(host, block, until)]),
  ]
    .filter(Boolean)
    .join('; ');
  throw new Failure(
    'failed',
    `${params.device} is unmounted here but still active: ${why || 'something keeps it in use since a lazy unmount'}`,
  );
}

/** For finding out who it is, of which every process may be asked. */
const explainMs = 1500;
/** Of the time that is left; the rest is for finding out who it is. */
const patience = 0.8;

/** The path of a disk or of an image that a process, not the kernel, reads and writes: a FUSE filesystem's driver. */
export async function drivenSource(
  { host }: Ctx,
  { wanted: { source } }: Seen,
  disk: string | undefined,
  type = '',
): Promise<string | undefined> {
  if (!isDriven(type)) return undefined;
  const name = disk === undefined ? undefined : await kernelName(host, disk);
  if (name !== undefined) return `/dev/${name}`;
  return source.is === 'named' && /^\/[^/]/.test(source.name) ? source.name : undefined;
}

/** Waits until it is no longer active, and makes those let go that may be made to: gently in the first half of the time. */
async function letGo(
  ctx: Ctx,
  block: Block | undefined,
  isActive: () => Promise<boolean>,
  patienceMs: number,
): Promise<boolean> {
  const { host, params } = ctx;
  const mayEvict = readForce(params.force_unmount).evict;
  const told = new Set<string>();
  const now = host.sys.now();
  const [half, end] = [now + patienceMs / 2, now + patienceMs];
  return host.until(async () => {
    if (mayEvict && block !== undefined) {
      const isGentle = host.sys.now() < half;
      const signals = signalsOf(isGentle ? params.term_signals : params.kill_signals);
      const round = { until: isGentle ? half : end, signals, told };
      await releaseElsewhere(ctx, block, round);
    }
    return !(await isActive());
  }, patienceMs);
}

/** These have a directory below /sys/fs for as long as they are active. */
const tellsInSysfs = ({ type }: Mount): boolean => ['ext2', 'ext3', 'ext4', 'xfs', 'f2fs'].includes(type);
