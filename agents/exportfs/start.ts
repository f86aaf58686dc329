import { Failure } from '../../lib/contract/outcome.ts';
import { fewAtOnce } from '../../lib/host/few-at-once.ts';
import { flushKernelExports } from '../../lib/host/nfs/export-flush.ts';
import { type Export, ensureEtab, readEtab } from '../../lib/host/nfs/exports.ts';
import { leadTo } from '../../lib/host/storage/leads-to.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import { type Mount, mountHolding, mounts } from '../../lib/host/storage/mounts.ts';
import { dropStrays, isAlike, madeOf } from './astray.ts';
import { exportDirectory } from './export.ts';
import { isSpelledByAnother } from './others.ts';
import type { Ctx } from './params.ts';
import { dropPlaceholder } from './quiet.ts';
import { restoreRmtab } from './rmtab-restore.ts';
import { look, type Seen } from './seen.ts';
import { rememberSpellings, type Spelling } from './spellings.ts';
import { markStarted } from './started.ts';
import { besideExportfs, type Looked } from './take-out.ts';
import { isSame, unexport } from './unexport.ts';
import { fsidIn, type Wanted, wanted } from './wanted.ts';

const unexportMs = 5000;
/** Each is a process. */
const mostLooks = 8;
const flushMs = 5000;

/**
 * Exports every directory, or none: what a failed start exported it takes back. What is exported already is exported anew, too:
 * only exportfs knows what its options come to, so whatever etab has, afterwards it has what a first export would have written.
 */
export async function start(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const want = wanted(ctx);
  const seen = await look(ctx, want);
  const paths = await places(ctx, want, seen.table);
  const directories = seen.directories.map((one, at) => ({ ...one, path: paths[at] ?? one.path }));
  const before: Seen = { ...seen, directories };
  if (before.threads === 0)
    log.warn(
      'no NFS server runs here yet: its own start may drop this export; order nfsserver before exportfs',
    );

  remark(ctx, before);
  await ensureEtab(host, before.state);
  const looked = await dropStrays(ctx, before, ctx.host.left() / 2);
  const names: string[] = [];
  let exported: readonly Spelling[] | undefined;
  try {
    await besideExportfs(host, looked, async () => {
      for (const one of directories) names.push(await exportDirectory(ctx, want.client, one));
    });
    const etab = await readEtab(host, before.state);
    exported = spelled(before, names, etab);
    await rememberSpellings(ctx, exported);
    await requireSamePlaces(ctx, want, paths);
    requireListed(before, exported, etab);
    if (await endOtherSpellings(ctx, before, exported, { etab, looked }))
      requireListed(before, exported, await readEtab(host, before.state));
    await dropPlaceholder(ctx, etab, looked);
    await endOldAnswers(ctx, before, exported);
    await markStarted(ctx);
  } catch (error) {
    await rollBack(ctx, before, names, exported);
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

/** What is exported for each directory, never by a name in etab: somebody may have changed since where it leads. Throws `Failure`. */
async function places(
  { host }: Ctx,
  { directories }: Wanted,
  table: readonly Mount[],
): Promise<readonly string[]> {
  const names = directories.map(({ directory }) => directory);
  const led = await leadTo(host, names, table);
  const inTurn = fewAtOnce(mostLooks);
  return Promise.all(
    names.map(async (directory) => {
      const { path, kind, trouble, stray } = led.get(directory) ?? { path: directory };
      const why = trouble ?? stray;
      if (why !== undefined) throw new Failure('failed', why);
      const is = kind === undefined ? (await inTurn(() => pathFacts(host, path)))?.kind : kind;
      if (!is) throw new Failure('misconfigured', `${directory} does not exist`);
      if (is !== 'directory') throw new Failure('notInstalled', `${directory} is not a directory`);
      return path;
    }),
  );
}

/** The kernel looks the paths up by itself, from now on: whoever put a link there meanwhile must not have gained by it. */
async function requireSamePlaces(ctx: Ctx, want: Wanted, paths: readonly string[]): Promise<void> {
  const now = await places(ctx, want, await mounts(ctx.host));
  const at = now.findIndex((path, index) => path !== paths[index]);
  if (at >= 0)
    throw new Failure('failed', `${paths[at]} was changed while it was exported: it is ${now[at]} now`);
}

/** How etab has what was exported, and what else has the same. What it does not list stays as it was known before. */
function spelled(before: Seen, names: readonly string[], etab: readonly Export[]): readonly Spelling[] {
  const places = new Set(before.directories.map(({ path }) => path));
  // what a link has made of ours
  const made = before.directories.flatMap(({ entries }) => entries).filter(({ path }) => !places.has(path));
  return before.directories.map(({ directory, path }, at) => {
    const client = names[at] ?? '';
    const entry = etab.find((one) => one.path === path && one.client === client);
    const known = before.spelt.remembered.find((one) => one.directory === directory);
    if (entry === undefined && known !== undefined) return known;
    const spelling = { directory, path, client, ...(entry && { options: entry.options.join(',') }) };
    const others = (entry ? etab : before.etab).filter(
      (line) => isAlike(spelling, line) && !made.some((one) => isSame(one, line)),
    );
    return { ...spelling, beside: others.map((line) => line.path) };
  });
}

/** exportfs has said yes; etab, which mountd acts on, must say so too. */
function requireListed(
  { directories, state }: Seen,
  exported: readonly Spelling[],
  etab: readonly Export[],
): void {
  for (const [at, { path }] of directories.entries())
    if (!etab.some((one) => one.path === path && one.client === exported[at]?.client))
      throw new Failure('failed', `exportfs ended well, but ${state.path}/etab does not list ${path}`);
}

/** A host that DNS calls by another name now is listed twice: the old line would keep its old options. Answers whether it was. */
async function endOtherSpellings(
  ctx: Ctx,
  before: Seen,
  exported: readonly Spelling[],
  { etab, looked }: { readonly etab: readonly Export[]; readonly looked: Looked },
): Promise<boolean> {
  const old: Export[] = [];
  for (const entry of before.directories.flatMap(({ entries }) => entries))
    if (
      etab.some((one) => isSame(one, entry)) &&
      !exported.some((one) => isSame(one, entry)) &&
      !(await isSpelledByAnother(ctx, entry))
    )
      old.push(entry);
  if (old.length > 0) await unexport(ctx, before, old, { looked, withinMs: unexportMs });
  return old.length > 0;
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

/**
 * Takes back the lines of the clients that exportfs named, and of the one directory that it has not answered for: others export
 * meanwhile.
 */
async function rollBack(
  ctx: Ctx,
  before: Seen,
  names: readonly string[],
  exported: readonly Spelling[] | undefined,
): Promise<void> {
  const { host, log } = ctx;
  try {
    const etab = await readEtab(host, before.state);
    const fresh = etab.filter((line) => !before.etab.some((old) => isSame(old, line)));
    const ours: Export[] = [];
    const spellings = exported ?? spelled(before, names, etab);
    const open: Spelling[] = [];
    for (const [at, { directory, path, options }] of before.directories
      .slice(0, names.length + 1)
      .entries()) {
      const client = names[at];
      const isClient = client === undefined ? before.spelt.isClient : (one: string) => one === client;
      for (const line of fresh)
        if (line.path === path && isClient(line.client) && !(await isSpelledByAnother(ctx, line)))
          ours.push(line);
      if (client === undefined) continue;
      const spelling = spellings[at] ?? { directory, path, client };
      const made = await madeOf(ctx, { fsid: fsidIn(options), ...spelling }, fresh);
      ours.push(...made.lines);
      if (made.doubt === undefined) continue;
      log.error(made.doubt);
      open.push(spelling);
    }
    // the stop that follows must not take it for nothing
    if (open.length > 0) await rememberSpellings(ctx, [...before.spelt.remembered, ...open]);
    if (ours.length > 0) await unexport(ctx, before, ours, { withinMs: unexportMs });
  } catch (error) {
    log.error(`cannot take back what was exported: ${error instanceof Error ? error.message : error}`);
  }
}
