import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, firstLine, type Host } from '../../lib/host/host.ts';
import { anchored, beneath } from '../../lib/host/storage/beneath.ts';
import { leadsTo } from '../../lib/host/storage/leads-to.ts';
import { ensureDirectory } from '../../lib/host/storage/managed-files.ts';
import { type Mount, mountOn, mounts } from '../../lib/host/storage/mounts.ts';
import type { Anchored } from '../../lib/host/sys/directory.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { noteStart } from './at-start.ts';
import type { Ctx } from './params.ts';
import type { Seen } from './seen.ts';
import type { Source } from './wanted.ts';

/** Where a mount goes and comes from, as far as that lies below managed storage; unset of what only root of this machine can change. */
export type Places = {
  readonly on?: Anchored;
  readonly source?: Anchored & { readonly kind: 'directory' | 'file' };
};

/**
 * The directory, and what is bound or looped there, may lie on a filesystem that others write to, as that of an export. A link of
 * theirs would choose what root mounts where. Throws `Failure` where it would.
 */
export async function placesOf({ params, host }: Ctx, { wanted, table }: Seen): Promise<Places> {
  const { source, directory, stray } = wanted;
  const path = params.directory.trim();
  if (stray !== undefined) throw notFollowed(path, stray);
  const on = await below(host, directory);
  // below managed storage a child has looked at it already
  if (on === undefined) await requireNoStray(host, path, table);
  if (source.is !== 'bind' && source.is !== 'image') return { ...(on && { on }) };
  const from = await below(host, await requireNoStray(host, source.path, table));
  const kind = source.is === 'image' ? 'file' : 'directory';
  return { ...(on && { on }), ...(from && { source: { ...from, kind } }) };
}

/** Where a path leads. */
async function requireNoStray(host: Host, path: string, table: readonly Mount[]): Promise<string> {
  const { path: real, trouble, stray } = await leadsTo(host, path, table);
  const why = stray ?? trouble;
  if (why !== undefined) throw notFollowed(path, why);
  return real;
}

const notFollowed = (path: string, why: string): Failure =>
  new Failure('failed', `${path} is not followed by root: ${why}`);

async function below(host: Host, path: string): Promise<Anchored | undefined> {
  const place = await anchored(host, path);
  return place.way.length === 0 ? undefined : place;
}

/** Mounts, on a directory that is made where it is missing. Throws `Failure` unless it is mounted then. */
export async function mount(ctx: Ctx, device: string, { wanted }: Seen, places: Places): Promise<void> {
  const { directory, source } = wanted;
  if (places.on === undefined) await ensureDirectory(ctx.host, directory);
  ctx.log.info(`mounting ${device} on ${directory}`);
  await noteStart(ctx, directory);
  if (places.on || places.source) await mountPinned(ctx, device, directory, source, places);
  else await mountByPath(ctx, device, directory, source);
}

/** The mount table, not mount's exit code, says whether it worked: a helper may fail after the work is done. */
async function mountByPath(
  { params, host, log }: Ctx,
  device: string,
  directory: string,
  source: Source,
): Promise<void> {
  const { fstype, options } = params;
  const argv: Argv = ['mount', ...optionsOf(fstype, options), device, directory];
  const output = await host.tryRun(argv);
  if (output.code === 0) return;
  const there = mountOn(await mounts(host), directory);
  // mount(8) before 2.39 binds first, and remounts with the other options then
  const isHalf = source.is === 'bind' && there !== undefined;
  if (isHalf) await host.tryRun(['umount', '--', directory]);
  if (output.hung || isHalf || !there) throw commandFailure(argv, output);
  log.warn(`mount ended with ${output.code} although it mounted: ${firstLine(output.stderr)}`);
}

/** By open directories. What mount did halfway is undone: a bind mount is writable before it is made read-only. */
async function mountPinned(
  { params, host }: Ctx,
  device: string,
  directory: string,
  source: Source,
  places: Places,
): Promise<void> {
  const { fstype, options } = params;
  const from = places.source ? '{source}' : device;
  const to = places.on ? '{}' : directory;
  const inSteps = places.on ? stepsFor(source, options) : [options];
  const calls = inSteps.map((some) => [...optionsOf(fstype, some), '--', from, to]);
  const { anchor, way } = places.on ?? { anchor: directory, way: [] };
  const ask = { path: way.join('/'), calls, ...(places.source && { source: places.source }) };
  const { code, stderr } = await beneath(host, { anchor, way: [] }, 'mountAt', ask);
  if (code === 0) return;
  if (mountOn(await mounts(host), directory)) await host.tryRun(['umount', '-c', '--', directory]);
  throw new Failure(
    'failed',
    `mounting ${device} on ${directory}: ${firstLine(stderr) || `mount ended with ${code}`}`,
  );
}

/** What is bound gets its other options by a remount, which must find the mount that is there by then: mount(8) before 2.39 does not. */
function stepsFor({ is }: Source, options: string): readonly string[] {
  const all = options.split(',').filter(Boolean);
  const others = all.filter((option) => option !== 'bind' && option !== 'rbind');
  if (is !== 'bind' || others.length === 0) return [options];
  return [all.includes('rbind') ? 'rbind' : 'bind', ['remount', 'bind', ...others].join(',')];
}

const optionsOf = (fstype: string | undefined, options: string): readonly string[] => [
  ...(fstype && fstype !== 'none' ? ['-t', fstype] : []),
  ...(options ? ['-o', options] : []),
];
