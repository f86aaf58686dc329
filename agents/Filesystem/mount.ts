import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, firstLine, type Host } from '../../lib/host/host.ts';
import { anchored, beneath } from '../../lib/host/storage/beneath.ts';
import { leadsTo } from '../../lib/host/storage/leads-to.ts';
import { ensureDirectory } from '../../lib/host/storage/managed-files.ts';
import { type Mount, mountOn, mounts } from '../../lib/host/storage/mounts.ts';
import type { Anchored } from '../../lib/host/sys/directory.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { noteStart } from './at-start.ts';
import { stepsAfterBind } from './bind-options.ts';
import type { Ctx } from './params.ts';
import type { Seen } from './situation.ts';
import { hasOption, type Source } from './wanted.ts';

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

/**
 * By open directories. A bind mount gets its other options afterwards, by calls that find what is there by then: those of mount(8) before
 * 2.39 itself do not. What mount did halfway is undone: a bind mount is writable before it is made read-only.
 */
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
  const { anchor, way } = places.on ?? { anchor: directory, way: [] };
  const run = async (calls: readonly (readonly string[])[]) => {
    const ask = { path: way.join('/'), calls, ...(places.source && { source: places.source }) };
    const { code, stderr } = await beneath(host, { anchor, way: [] }, 'mountAt', ask);
    if (code === 0) return;
    if (mountOn(await mounts(host), directory)) await host.tryRun(['umount', '-c', '--', directory]);
    throw new Failure(
      'failed',
      `mounting ${device} on ${directory}: ${firstLine(stderr) || `mount ended with ${code}`}`,
    );
  };
  const inSteps = places.on !== undefined && source.is === 'bind';
  const first = hasOption(options, 'rbind') ? 'rbind' : 'bind';
  await run([[...optionsOf(fstype, inSteps ? first : options), '--', from, to]]);
  if (!inSteps) return;
  const there = mountOn(await mounts(host), directory);
  if (!there) throw new Failure('failed', `mount ended well, yet nothing is mounted on ${directory}`);
  const steps = stepsAfterBind(options, there.options);
  const calls = steps.map((step) => (step[0] === '-o' ? [...step, '--', from, to] : [...step, '--', to]));
  if (calls.length > 0) await run(calls);
}

const optionsOf = (fstype: string | undefined, options: string): readonly string[] => [
  ...(fstype && fstype !== 'none' ? ['-t', fstype] : []),
  ...(options ? ['-o', options] : []),
];
