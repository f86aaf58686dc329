import { Failure } from '../../lib/contract/outcome.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { ensureDirectory } from '../../lib/host/storage/managed-files.ts';
import {
  canonicalPath,
  type Mount,
  mountHolding,
  mountOn,
  mounts,
  tidyPath,
} from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';

/** A directory by what the kernel knows of it: its filesystem, and its path within. */
type Place = Pick<Mount, 'device' | 'root'>;

/** What lies on the state directory. `ours`: nfs_shared_infodir, by whomever mounted. */
export type Binding = { readonly is: 'nothing' } | { readonly is: 'ours' | 'foreign'; readonly mount: Mount };

/** nfs_shared_infodir, if it is to be mounted over the state directory: a failover filesystem may be mounted right there. */
export function sharedInfodir({ params }: Pick<Ctx, 'params'>): string | undefined {
  const dir = params.nfs_shared_infodir && tidyPath(params.nfs_shared_infodir);
  return dir === stateRoot ? undefined : dir;
}

/** Looks without touching the filesystems themselves. */
export async function binding({
  host,
  params,
  memory,
}: Pick<Ctx, 'host' | 'params' | 'memory'>): Promise<Binding> {
  const table = await mounts(host);
  const mount = mountOn(table, stateRoot) ?? mountOn(table, await canonicalPath(host, stateRoot, table));
  if (!mount) return { is: 'nothing' };
  const infodir = sharedInfodir({ params });
  if (infodir === undefined) return { is: 'foreign', mount };
  const same = (place: Place | undefined) => place?.device === mount.device && place.root === mount.root;
  const isOurs =
    same(placeOf(infodir, table)) ||
    same(placeOf(await canonicalPath(host, infodir, table), table)) ||
    // the filesystem below infodir may be gone already, in a group with the wrong order
    same(await memory.fact<Place>('bound'));
  return { is: isOurs ? 'ours' : 'foreign', mount };
}

function placeOf(dir: string, table: readonly Mount[]): Place | undefined {
  const holder = mountHolding(table, dir);
  if (!holder) return undefined;
  const below = holder.target === '/' ? dir : dir.slice(holder.target.length);
  return { device: holder.device, root: tidyPath(`${holder.root}/${below}`) };
}

/** Mounts infodir over the state directory and makes sure that it is there. */
export async function bind(
  { host, memory, log }: Pick<Ctx, 'host' | 'memory' | 'log'>,
  infodir: string,
): Promise<void> {
  const before = await mounts(host);
  const source = await canonicalPath(host, infodir, before);
  const place = placeOf(source, before);
  if (mountHolding(before, source)?.target === '/')
    log.warn(`nfs_shared_infodir ${infodir} is on the root filesystem: is its own filesystem mounted?`);
  // Private: a filesystem that is mounted below infodir later must not appear below the state directory and keep it busy.
  const mount = ['mount', '--bind', '--make-private', '--', source, stateRoot] as const;
  // The directory is there nearly always: a failover has no time for a question that the mount answers, too.
  if ((await host.tryRun(mount)).code !== 0) {
    await ensureDirectory(host, infodir).catch(({ message }: Error) => {
      throw new Failure('failed', `nfs_shared_infodir ${message}`);
    });
    await host.run(mount);
  }
  await memory.note('bound', place);
  const after = await mounts(host);
  const bound = mountOn(after, await canonicalPath(host, stateRoot, after));
  if (bound?.device !== place?.device || bound?.root !== place?.root)
    throw new Failure('failed', `mounting ${infodir} over ${stateRoot} had no effect`);
}
