import { Failure } from '../../lib/contract/outcome.ts';
import { activeFilesystem, isPresent } from '../../lib/host/storage/block-devices.ts';
import type { Mount } from '../../lib/host/storage/mounts.ts';
import { isReadOnlyType } from './fstypes.ts';
import type { Ctx } from './params.ts';
import { hasOption } from './source.ts';
import type { State } from './state.ts';

/** ext4 (6.11) and xfs tell in these words that they gave up after an error. */
const givenUp = ['shutdown', 'emergency_ro'];

/** Fails when our mount is there but no good: its disk is gone, or the kernel stopped all writing. Reads /proc and /sys only. */
export async function requireSound({ params, host }: Ctx, { source }: State, mount: Mount): Promise<void> {
  const onDisk = !mount.device.startsWith('0:');
  if (onDisk && !(await isPresent(host, mount.device)))
    throw new Failure(
      'failed',
      `${mount.source} on ${mount.target} is gone: the kernel has no device ${mount.device} any more`,
    );
  const sign = givenUp.find((word) => mount.superOptions.includes(word));
  if (sign !== undefined)
    throw new Failure(
      'failed',
      `${mount.type} on ${mount.target} has shut itself down after an error (${sign})`,
    );
  const wantsWrites =
    source.kind !== 'other' && !hasOption(params.options, 'ro') && !isReadOnlyType(mount.type);
  if (wantsWrites && mount.superOptions.includes('ro'))
    throw new Failure(
      'failed',
      `${mount.target} is read-only although options do not say ro: the kernel does that after an error of ${mount.source}`,
    );
}

/** Whether the device carries an active filesystem although it is mounted nowhere here: only that it is, never by whom. */
export async function lingers(
  { host }: Ctx,
  { device, table }: Pick<State, 'device' | 'table'>,
): Promise<boolean> {
  if (device === undefined || table.some((mount) => mount.device === device)) return false;
  return (await activeFilesystem(host, device)) !== undefined;
}

export const coveredReason = (state: State & { is: 'covered' }): string =>
  `${state.mount.source} is mounted on ${state.directory}, but ${state.by.source} was mounted over it: unmount that by hand`;

export const asideReason = ({ mount, directory }: State & { is: 'aside' }): string =>
  `${mount.source} is on ${mount.target}, not on ${directory}: a stop moved it there and did not end; stop it again`;
