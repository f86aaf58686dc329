import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { isWithin, mountHolding, mounts } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';

/** Where an administrator has had the records of clients kept. */
const places = [
  ['nfsdcld', 'storagedir', 'NFSv4'],
  ['statd', 'state-directory-path', 'NFSv3'],
] as const;

/** What nfs.conf keeps on this node, and out of nfs_shared_infodir, no other node knows after a failover. */
export async function warnKeptElsewhere({ host, log }: Ctx, { infodir, conf, v3 }: Survey): Promise<void> {
  if (infodir === undefined) return;
  const table = await mounts(host);
  const device = (path: string) => mountHolding(table, path)?.device;
  for (const [section, key, version] of places) {
    const path = conf.get(section, key);
    if (path === undefined || isWithin(path, stateRoot) || (version === 'NFSv3' && !v3)) continue;
    if (device(path) !== device('/') && device(path) === device(infodir)) continue; // it moves along
    log.warn(
      `${key}=${path} in the section ${section} of nfs.conf lies outside of ${stateRoot}: ${version} clients lose their locks in a failover to another node`,
    );
  }
}
