import { Failure } from '../../lib/contract/outcome.ts';
import { activeFilesystem } from '../../lib/host/storage/block-devices.ts';
import { describeElsewhere, otherNamespaces } from '../../lib/host/storage/mount-users.ts';
import type { Mount } from '../../lib/host/storage/mounts.ts';
import { readForce } from './force.ts';
import type { Ctx } from './params.ts';
import type { State } from './state.ts';

/**
 * A filesystem that is mounted nowhere here may still be active: another mount namespace has it, or somebody unmounted it
 * lazily. The other node must not mount it before that ends. `last` is what this stop unmounted, if anything.
 */
export async function requireReleased(ctx: Ctx, state: State, last: Mount | undefined): Promise<void> {
  const { params, host } = ctx;
  const device = last?.device ?? state.device;
  if (state.source.kind === 'other' || device === undefined) return;
  if (state.table.some((mount) => mount.device === device)) return; // in use elsewhere on this node, by somebody else
  const isActive = async () =>
    last === undefined || tellsInSysfs(last)
      ? (await activeFilesystem(host, device)) !== undefined
      : (await otherNamespaces(host, { device })).length > 0;
  if (!(await isActive())) return;

  const mayEvict = readForce(params.force_unmount).evict;
  const released = await host.until(async () => {
    if (mayEvict) await unmountElsewhere(ctx, device);
    return !(await isActive());
  }, host.left() * patience);
  if (released) return;
  const elsewhere = (await otherNamespaces(host, { device })).map(describeElsewhere).join('; ');
  throw new Failure(
    'failed',
    `${params.device} is unmounted here but still active: ${elsewhere || 'something keeps it in use since a lazy unmount'}`,
  );
}

/** Of the time that is left; the rest is for finding out who it is. */
const patience = 0.8;

async function unmountElsewhere({ host, log }: Ctx, device: string): Promise<void> {
  for (const place of await otherNamespaces(host, { device })) {
    log.info(`${describeElsewhere(place)}: unmounting it there`);
    await host.tryRun(['nsenter', '-m', '-t', String(place.pid), '--', 'umount', '-c', place.target], {
      timeoutMs: host.left() / 2,
    });
  }
}

/** These have a directory below /sys/fs for as long as they are active. */
const tellsInSysfs = ({ type }: Mount): boolean => ['ext2', 'ext3', 'ext4', 'xfs', 'f2fs'].includes(type);
