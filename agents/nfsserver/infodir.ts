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
import type { Wanted } from './wanted.ts';

/** A directory by what the kernel knows of it: its filesystem, and its path within. */
type Place = Pick<Mount, 'device' | 'root'>;

/** What is mounted on the state directory. */
export type Binding =
  | { readonly is: 'nothing' }
  | {
      readonly is: /** nfs_shared_infodir, by whomever mounted. */
        | 'ours'
        /** Something else, where nfs_shared_infodir should be. */
        | 'foreign'
        /** Nothing is to be mounted there by this resource: what is there is the administrator's, or the failover filesystem itself. */
        | 'unasked';
      readonly mount: Mount;
    };

/** Looks without touching the filesystems themselves. */
export async function binding(ctx: Ctx, { infodir }: Pick<Wanted, 'infodir'>): Promise<Binding> {
  const { host, memory } = ctx;
  const table = await mounts(host);
  const mount = mountOn(table, stateRoot) ?? mountOn(table, await canonicalPath(host, stateRoot, table));
  if (!mount) return { is: 'nothing' };
  if (infodir === undefined) return { is: 'unasked', mount };
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

/** Brings nfs_shared_infodir to its place, or finds it there. Throws `Failure` when something else is there. */
export async function share(ctx: Ctx, { infodir }: Pick<Wanted, 'infodir'>): Promise<void> {
  if (infodir === undefined) return;
  const found = await binding(ctx, { infodir });
  if (found.is === 'foreign')
    throw new Failure(
      'failed',
      `${found.mount.source} is mounted on ${stateRoot}: nfs_shared_infodir ${infodir} cannot be mounted there`,
    );
  if (found.is === 'nothing') await bind(ctx, infodir);
}

/** Mounts infodir over the state directory and makes sure that it is there. */
async function bind(ctx: Ctx, infodir: string): Promise<void> {
  const { host, memory, log } = ctx;
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
