import { factsIfThere } from '../../lib/host/local-files.ts';
import { serialOf } from '../../lib/host/storage/block-devices.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import { answersHere, type Mount } from '../../lib/host/storage/mounts.ts';
import { isSame, type Made } from './made.ts';
import { askedFor } from './mark.ts';
import type { Ctx } from './params.ts';

const lookMs = 5000;

/** Whether a mount is the one that a start made, or a monitor saw. */
export const isMade = async (ctx: Ctx, mount: Mount): Promise<boolean> =>
  (await madeIn(ctx, [mount])) !== undefined;

async function madeIn(
  { memory, params, host }: Ctx,
  table: readonly Mount[],
): Promise<{ readonly made: Made; readonly mount: Mount } | undefined> {
  const made = await memory.fact<Made>('mount');
  const mount = made?.asked === askedFor(params) ? table.find((one) => isSame(made, one)) : undefined;
  return made && mount && (await serialOf(host, mount.device)) === made.serial ? { made, mount } : undefined;
}

/**
 * Ours under another path than it was mounted on: a directory above it was renamed. Whoever unmounts it by hand and mounts the same disk
 * elsewhere may get the same id; the directory that ours hid is there again then.
 */
export async function madeElsewhere(ctx: Ctx, table: readonly Mount[]): Promise<Mount | undefined> {
  const { made, mount } = (await madeIn(ctx, table)) ?? {};
  if (!made || !mount || mount.target === made.target) return undefined;
  const isBack = made.under !== undefined && (await directoryAt(ctx, made.target, table)) === made.under;
  return isBack ? undefined : mount;
}

/** Before a mount: which directory it will hide. */
export async function noteUnder(ctx: Ctx, directory: string, table: readonly Mount[]): Promise<void> {
  await ctx.memory.note('under', await directoryAt(ctx, directory, table));
}

/** A directory by filesystem and inode; `undefined` where there is none. */
async function directoryAt(
  { host }: Ctx,
  path: string,
  table: readonly Mount[],
): Promise<string | undefined> {
  if (answersHere(path, table)) {
    const facts = await factsIfThere(host, path);
    return facts && `${facts.dev} ${facts.ino}`;
  }
  const facts = await pathFacts(host, path, lookMs);
  return facts && `${facts.device} ${facts.ino}`;
}
