import { Failure } from '../../lib/contract/outcome.ts';
import { exportArgument } from '../../lib/host/nfs/client-spec.ts';
import { type Export, ensureEtab, readEtab } from '../../lib/host/nfs/exports.ts';
import { nfsdThreads } from '../../lib/host/nfs/nfsd.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import { type Mount, mountHolding } from '../../lib/host/storage/mounts.ts';
import { type Exported, type Found, findExported, isExported, listed, type Spelling } from './exported.ts';
import { differences } from './options.ts';
import type { Ctx } from './params.ts';
import { dropPlaceholder } from './quiet.ts';
import { restoreRmtab } from './rmtab-backup.ts';
import { markStarted, startedThisBoot } from './started.ts';
import { unexport } from './unexport.ts';
import { fsidIn } from './wanted.ts';

const rollbackMs = 5000;

/** Exports every directory, or none: what a failed start exported it takes back. */
export async function start(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const before = await findExported(ctx);
  await Promise.all(before.found.map(({ directory }) => requireDirectory(ctx, directory)));
  if ((await nfsdThreads(host)) === 0)
    log.warn(
      'no NFS server runs here yet: its own start may drop this export; order nfsserver before exportfs',
    );

  remark(ctx, before);
  await ensureEtab(host, before.state);
  // an entry that no start on this boot made came with a shared state directory, or is left from a crash: make it ours
  const ours = await startedThisBoot(ctx);
  try {
    for (const wanted of before.found)
      if (!ours || !isExported(wanted) || differences(wanted).length > 0) await exportDirectory(ctx, wanted);
    await dropPlaceholder(ctx, await verify(ctx, before));
  } catch (error) {
    await rollBack(ctx, before);
    throw error;
  }
  await markStarted(ctx);
  await restoreRmtab(ctx, before);
}

/** New options for what is exported: clients keep their mounts. */
export async function reloadAgent(ctx: Ctx): Promise<void> {
  const { found } = await findExported(ctx);
  const absent = found.filter((one) => !isExported(one));
  if (absent.length > 0)
    throw new Failure('failed', `${listed(absent)} is not exported: start it instead of reloading it`);
  await start(ctx);
}

/** Right as parameters, and yet seldom what was meant. */
function remark({ log }: Ctx, { table, found }: Exported): void {
  for (const { path, options } of found) {
    if (path === '/') log.warn('exporting /: clients see the whole root filesystem of this node');
    const mount = mountHolding(table, path);
    if (mount && isNameless(mount) && fsidIn(options) === undefined)
      log.warn(`${path} lies on ${mount.type}, which NFS knows by no name of its own: set fsid`);
  }
}

/** tmpfs, overlay, FUSE, another server's: no UUID. Subvolumes of one btrfs share theirs. */
const isNameless = ({ device, type, root }: Mount): boolean =>
  device.startsWith('0:') && (type !== 'btrfs' || root !== '/');

async function requireDirectory({ host }: Ctx, directory: string): Promise<void> {
  const facts = await pathFacts(host, directory);
  if (!facts) throw new Failure('misconfigured', `${directory} does not exist`);
  if (facts.kind !== 'directory') throw new Failure('notInstalled', `${directory} is not a directory`);
}

async function exportDirectory({ host, log, params }: Ctx, { path, options }: Found): Promise<void> {
  const chosen = options.length > 0 ? ['-o', options.join(',')] : [];
  // -i: nothing from /etc/exports, neither its options nor its errors, nor a wait for DNS about its hosts
  const argv = ['exportfs', '-v', '-i', ...chosen, exportArgument(params.clientspec, path)] as const;
  const said = await host.run(argv);
  log.info(`${argv.join(' ')}: ${said.trim()}`);
}

/** exportfs has said yes; etab, which mountd acts on, must say so too. It also tells the canonical name of a host. */
async function verify(ctx: Ctx, before: Exported): Promise<readonly Export[]> {
  const etab = await readEtab(ctx.host, before.state);
  const spellings = before.found.map(({ directory, path, entries }): Spelling => {
    const fresh = newSince(before.etab, etab, [path])[0];
    const entry = entries.find((old) => etab.some((one) => isSame(one, old))) ?? fresh;
    if (!entry)
      throw new Failure('failed', `exportfs ended well, but ${before.state.path}/etab does not list ${path}`);
    return { directory, path, client: entry.client };
  });
  await ctx.memory.note('spellings', spellings);
  return etab;
}

async function rollBack(ctx: Ctx, before: Exported): Promise<void> {
  const { host, log } = ctx;
  const paths = before.found.map(({ path }) => path);
  try {
    const etab = await readEtab(host, before.state);
    const ours = newSince(before.etab, etab, paths);
    if (ours.length > 0) await unexport(ctx, before.state, ours, rollbackMs);
  } catch (error) {
    log.error(`cannot take back what was exported: ${error instanceof Error ? error.message : error}`);
  }
}

const newSince = (
  before: readonly Export[],
  after: readonly Export[],
  paths: readonly string[],
): readonly Export[] =>
  after.filter((entry) => paths.includes(entry.path) && !before.some((old) => isSame(old, entry)));

const isSame = (one: Export, other: Export): boolean =>
  one.path === other.path && one.client === other.client;
