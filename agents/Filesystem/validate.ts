import { canonicalPath, mounts } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import { isInFstab } from './systemd.ts';

/** Silent unless something will surprise: pcs shows every line to the admin who creates the resource. */
export async function validate({ params, host, log }: Ctx): Promise<void> {
  const directory = await canonicalPath(host, params.directory, await mounts(host));
  if (await isInFstab(host, directory))
    log.warn(
      `/etc/fstab names ${directory} too: remove it there, or systemd mounts and unmounts it on its own`,
    );
}
