import { deviceUnder, serialOf } from '../../lib/host/storage/block-devices.ts';
import type { Mount } from '../../lib/host/storage/mounts.ts';
import { remember, remembered } from './mark.ts';
import type { Ctx } from './params.ts';
import { type Candidate, isWhole, type Verdict, type Wanted } from './wanted.ts';

// The one rule that says whether a mount is what the parameters ask for. A disk's number decides here; what it takes a path or a
// name to decide is in files of its own, which the monitor of a plain disk does not load.

/** Whether this very mount is ours; notes the mark of what was recognised. */
export async function judge(
  ctx: Ctx,
  wanted: Wanted,
  mount: Mount,
  table: readonly Mount[],
): Promise<Verdict> {
  const { source } = wanted;
  // It waits for the first who comes by, and mounts something then.
  if (mount.type === 'autofs' && ctx.params.fstype !== 'autofs') return 'foreign';
  const candidate = <Source>(one: Source) => ({ ctx, wanted: { ...wanted, source: one }, mount, table });
  switch (source.is) {
    case 'memory':
      // a bind of some directory in another tmpfs is not what mounting one makes
      return mount.type === source.type && mount.root === '/' && wanted.stray === undefined
        ? 'ours'
        : 'foreign';
    case 'disk':
      return judgeDisk(candidate(source));
    case 'image':
      return (await import('./ours-by-path.ts')).judgeImage(candidate(source));
    case 'bind':
      return (await import('./ours-by-path.ts')).judgeBind(candidate(source));
    case 'named':
      return (await import('./ours-by-name.ts')).judgeNamed(candidate(source));
  }
}

/** A disk is its number; of btrfs any member, and the subvolume that was asked for. */
async function judgeDisk(candidate: Candidate<'disk'>): Promise<Verdict> {
  const { ctx, wanted, mount, table } = candidate;
  const { host } = ctx;
  const there = await deviceUnder(host, mount, table);
  if (there === undefined) return (await import('./ours-by-path.ts')).judgeWithoutDisk(candidate);
  const isDisk = async (number: string) =>
    number === there ||
    (mount.type === 'btrfs' && (await (await import('./btrfs.ts')).shareBtrfs(host, number, there)));
  const before = await remembered(ctx, 'disk');
  const serial = before && (await serialOf(host, before.number));
  const isOther = serial !== undefined && before?.serial !== undefined && serial !== before.serial;
  const known = [wanted.number, isOther ? undefined : before?.number].filter(
    (number) => number !== undefined,
  );
  for (const number of known)
    if (await isDisk(number)) {
      const mark = await diskMark(ctx, there);
      if (mount.type === 'btrfs')
        return (await import('./btrfs.ts')).judgeSubvolume(ctx, mount, mark, before?.subvolume);
      if (!isWhole(mount, ctx.params.options)) return 'foreign';
      await remember(ctx, mark);
      return 'ours';
    }
  if (wanted.number !== undefined) await remember(ctx, await diskMark(ctx, wanted.number));
  // Its number went to another disk since.
  if (known.length > 0 || before?.number === there) return 'foreign';
  return (await import('./ours-by-path.ts')).judgeUnknownDisk(candidate, there);
}

const diskMark = async ({ host }: Ctx, number: string) =>
  ({ is: 'disk', number, serial: await serialOf(host, number) }) as const;
