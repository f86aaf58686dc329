import { Failure } from '../../lib/contract/outcome.ts';
import { flushKernelExports } from '../../lib/host/nfs/export-flush.ts';
import { type Export, ensureEtab, readEtab } from '../../lib/host/nfs/exports.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import { type Mount, mountHolding } from '../../lib/host/storage/mounts.ts';
import { exportDirectory } from './export.ts';
import type { Ctx } from './params.ts';
import { dropPlaceholder } from './quiet.ts';
import { restoreRmtab } from './rmtab-restore.ts';
import { look, type Seen } from './seen.ts';
import { isSpelledByAnother, rememberSpellings, type Spelling } from './spellings.ts';
import { markStarted } from './started.ts';
import { unexport } from './unexport.ts';
import { fsidIn, wanted } from './wanted.ts';

const unexportMs = 5000;
const flushMs = 5000;

/**
 * Exports every directory, or none: what a failed start exported it takes back. What is exported already is exported anew, too:
 * only exportfs knows what its options come to, so whatever etab has, afterwards it has what a first export would have written.
 */
export async function start(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const want = wanted(ctx);
  const before = await look(ctx, want);
  await Promise.all(want.directories.map(({ directory }) => requireDirectory(ctx, directory)));
  if (before.threads === 0)
    log.warn(
      'no NFS server runs here yet: its own start may drop this export; order nfsserver before exportfs',
    );

  remark(ctx, before);
  await ensureEtab(host, before.state);
  try {
    const names: string[] = [];
    for (const one of before.directories) names.push(await exportDirectory(ctx, want.client, one));
    const etab = await readEtab(host, before.state);
    const exported = requireListed(before, names, etab);
    await rememberSpellings(ctx, exported);
    await endOtherSpellings(ctx, before, exported, etab);
    await dropPlaceholder(ctx, etab);
    await endOldAnswers(ctx, before, exported);
    await markStarted(ctx);
  } catch (error) {
    await rollBack(ctx, before);
    throw error;
  }
  await restoreRmtab(ctx, before);
}

/** Right as parameters, and yet seldom what was meant. */
function remark({ log }: Ctx, { table, directories }: Seen): void {
  for (const { path, options } of directories) {
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

/** exportfs has said yes; etab, which mountd acts on, must say so too. */
function requireListed(
  { directories, state }: Seen,
  names: readonly string[],
  etab: readonly Export[],
): readonly Spelling[] {
  return directories.map(({ directory, path }, at) => {
    const entry = etab.find((one) => one.path === path && one.client === names[at]);
    if (!entry)
      throw new Failure('failed', `exportfs ended well, but ${state.path}/etab does not list ${path}`);
    return { directory, path, client: entry.client, options: entry.options.join(',') };
  });
}

/** A host that DNS calls by another name now is listed twice: the old line would keep its old options. */
async function endOtherSpellings(
  ctx: Ctx,
  before: Seen,
  exported: readonly Spelling[],
  etab: readonly Export[],
): Promise<void> {
  const old: Export[] = [];
  for (const entry of before.directories.flatMap(({ entries }) => entries))
    if (
      etab.some((one) => isSame(one, entry)) &&
      !exported.some((one) => isSame(one, entry)) &&
      !(await isSpelledByAnother(ctx, entry))
    )
      old.push(entry);
  if (old.length > 0) await unexport(ctx, before.state, old, unexportMs);
}

/**
 * exportfs makes the kernel forget the old options. An answer of mountd's that was under way meanwhile would bring them back for half
 * an hour (the lifetime of an answer), so a change of options is followed by a second flush.
 */
async function endOldAnswers({ host }: Ctx, before: Seen, exported: readonly Spelling[]): Promise<void> {
  const changed = before.directories
    .flatMap(({ entries }) => entries)
    .some((old) => !exported.some((one) => isSame(one, old) && one.options === old.options.join(',')));
  if (changed && before.threads > 0) await flushKernelExports(host, flushMs);
}

async function rollBack(ctx: Ctx, before: Seen): Promise<void> {
  const { host, log } = ctx;
  const paths = before.directories.map(({ path }) => path);
  try {
    const fresh = (await readEtab(host, before.state)).filter(
      (entry) => paths.includes(entry.path) && !before.etab.some((old) => isSame(old, entry)),
    );
    if (fresh.length > 0) await unexport(ctx, before.state, fresh, unexportMs);
  } catch (error) {
    log.error(`cannot take back what was exported: ${error instanceof Error ? error.message : error}`);
  }
}

type Line = Pick<Export, 'path' | 'client'>;

const isSame = (one: Line, other: Line): boolean => one.path === other.path && one.client === other.client;
