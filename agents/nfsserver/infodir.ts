import { Failure } from '../../lib/contract/outcome.ts';
import { firstLine, type Host } from '../../lib/host/host.ts';
import type { Memory } from '../../lib/host/memory.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { anchored, beneath } from '../../lib/host/storage/beneath.ts';
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
type Directory = Pick<Mount, 'device' | 'root'>;

/** What is mounted on the state directory. */
export type Binding =
  | { readonly is: 'nothing' }
  | {
      readonly is: /** nfs_shared_infodir, by whomever mounted. */
        | 'ours'
        /** Our binding still, but of a directory that is not nfs_shared_infodir: it was renamed or removed meanwhile. */
        | 'moved'
        /** Something else, where nfs_shared_infodir should be. */
        | 'foreign';
      readonly mount: Mount;
    }
  /**
   * Nothing is to be mounted there by this resource: what is there is the administrator's, or the failover filesystem itself, which the
   * state directory may be a link to.
   */
  | { readonly is: 'unasked'; readonly mount?: Mount };

/** The mount that `bind` made. Ids of mounts are used again, but not while the mount is there. */
type Bound = Directory & Pick<Mount, 'id'>;
const fact = 'bound';

/** Looks without touching the filesystems themselves. */
export async function binding(
  host: Host,
  memory: Memory,
  { infodir }: Pick<Wanted, 'infodir'>,
): Promise<Binding> {
  const table = await mounts(host);
  const itself = mountOn(table, stateRoot);
  const here = itself ? stateRoot : await canonicalPath(host, stateRoot, table);
  const mount = itself ?? mountOn(table, here);
  const bound = await memory.fact<Bound>(fact);
  if (infodir !== undefined && here !== stateRoot && (await canonicalPath(host, infodir, table)) === here)
    return mount && bound?.id === mount.id
      ? { is: 'ours', mount }
      : { is: 'unasked', ...(mount && { mount }) };
  if (!mount) return { is: 'nothing' };
  if (infodir === undefined) return { is: 'unasked', mount };
  const same = (one: Directory | undefined) => one?.device === mount.device && one.root === mount.root;
  const asked = directoryAt(infodir, table);
  if (same(asked)) return { is: 'ours', mount };
  const real = directoryAt(await canonicalPath(host, infodir, table), table);
  if (same(real)) return { is: 'ours', mount };
  // the filesystem below infodir may be gone already, in a group with the wrong order
  if (same(bound)) return { is: 'ours', mount };
  // The kernel gives the directory's present name. Whoever mounts another directory of the failover filesystem just here is a server
  // of this kind, too; of the root filesystem it may be anybody.
  const isOfInfodir = real?.device === mount.device && mountHolding(table, '/')?.device !== mount.device;
  const isRemembered = bound?.id === mount.id && bound.device === mount.device;
  return { is: isRemembered || isOfInfodir ? 'moved' : 'foreign', mount };
}

/** What a person is told of a mount: where from, and which directory of it. */
export const described = ({ source, root }: Mount): string =>
  root === '/' ? source : `${root} of ${source}`;

function directoryAt(dir: string, table: readonly Mount[]): Directory | undefined {
  const holder = mountHolding(table, dir);
  if (!holder) return undefined;
  const below = holder.target === '/' ? dir : dir.slice(holder.target.length);
  return { device: holder.device, root: tidyPath(`${holder.root}/${below}`) };
}

/** Brings nfs_shared_infodir to its place, or finds it there. Throws `Failure` when something else is there. */
export async function share(ctx: Ctx, { infodir }: Pick<Wanted, 'infodir'>): Promise<void> {
  const { host, memory } = ctx;
  if (infodir === undefined) return;
  const found = await binding(host, memory, { infodir });
  if (found.is === 'foreign' || found.is === 'moved')
    throw new Failure(
      'failed',
      `${described(found.mount)} is mounted on ${stateRoot}: nfs_shared_infodir ${infodir} cannot be mounted there`,
    );
  if (found.is === 'nothing') await bind(ctx, infodir);
  else if (found.is === 'unasked') await requireDirectory(ctx, infodir);
}

const requireDirectory = ({ host }: Ctx, infodir: string): Promise<void> =>
  ensureDirectory(host, infodir).catch(({ message }: Error) => {
    throw new Failure('failed', `nfs_shared_infodir ${message}`);
  });

/** Mounts infodir over the state directory and makes sure that it is there. */
async function bind(ctx: Ctx, infodir: string): Promise<void> {
  const { host, memory, log } = ctx;
  const before = await mounts(host);
  const { anchor, way } = await anchored(host, infodir);
  const source = tidyPath([anchor, ...way].join('/'));
  const place = directoryAt(source, before);
  const isOnRoot = mountHolding(before, source)?.target === '/';
  if (isOnRoot)
    log.warn(`nfs_shared_infodir ${infodir} is on the root filesystem: is its own filesystem mounted?`);
  // on managed storage the mount makes what is missing: a failover has no time for a question of its own
  if (way.length === 0 && mountOn(before, anchor) === undefined) await requireDirectory(ctx, anchor);
  // Private: a filesystem that is mounted below infodir later must not appear below the state directory and keep it busy.
  await memory.note(fact, place); // whatever happens now: it is to be known again by its place
  const args = ['--bind', '--make-private', '--', '{}', stateRoot];
  const { code, stderr } = await beneath(host, { anchor, way: [] }, 'mountAt', {
    path: way.join('/'),
    calls: [args],
  }).catch(({ message }: Error) => {
    throw new Failure('failed', `nfs_shared_infodir ${message}`);
  });
  if (code !== 0)
    throw new Failure(
      'failed',
      `mounting ${infodir} over ${stateRoot}: ${firstLine(stderr) || `exit ${code}`}`,
    );
  const after = await mounts(host);
  const bound = mountOn(after, await canonicalPath(host, stateRoot, after));
  if (bound?.device !== place?.device || bound?.root !== place?.root)
    throw new Failure('failed', `mounting ${infodir} over ${stateRoot} had no effect`);
  await memory.note(fact, { ...place, id: bound?.id });
}
