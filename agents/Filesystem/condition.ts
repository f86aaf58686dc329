import { Failure } from '../../lib/contract/outcome.ts';
import { isPresent } from '../../lib/host/storage/block-devices.ts';
import { type Mount, unlinkedRoot } from '../../lib/host/storage/mounts.ts';
import { isReadOnlyType } from './fstypes.ts';
import type { Ctx } from './params.ts';
import type { Seen } from './situation.ts';
import { hasOption } from './wanted.ts';

/** ext4 (6.11) and xfs tell in these words that they gave up after an error. */
const givenUp = ['shutdown', 'emergency_ro'];

/** Fails when our mount is there but no good: its disk is gone, or the kernel stopped all writing. Reads /proc and /sys only. */
export async function requireSound(
  { params, host }: Ctx,
  { wanted: { source } }: Seen,
  mount: Mount,
): Promise<void> {
  const onDisk = !mount.device.startsWith('0:');
  if (onDisk && !(await isPresent(host, mount.device)))
    throw new Failure(
      'failed',
      `${mount.source} on ${mount.target} is gone: the kernel has no device ${mount.device} any more`,
    );
  const root = unlinkedRoot(mount.root);
  if (root !== mount.root)
    throw new Failure(
      'failed',
      `${root} of ${mount.source}, which is mounted on ${mount.target}, was removed: nothing can be made in it`,
    );
  const sign = givenUp.find((word) => mount.superOptions.includes(word));
  if (sign !== undefined)
    throw new Failure(
      'failed',
      `${mount.type} on ${mount.target} has shut itself down after an error (${sign})`,
    );
  const wantsWrites =
    (source.is === 'disk' || source.is === 'image') &&
    !hasOption(params.options, 'ro') &&
    !isReadOnlyType(mount.type);
  if (wantsWrites && mount.superOptions.includes('ro'))
    throw new Failure(
      'failed',
      `${mount.target} is read-only although options do not say ro: the kernel does that after an error of ${mount.source}`,
    );
}
