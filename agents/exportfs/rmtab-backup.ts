import { readState, type StateDirectory } from '../../lib/host/nfs/exports.ts';
import { formatRmtab, parseRmtab, rmtabBelow } from '../../lib/host/nfs/rmtab.ts';
import { type Mount, mountHolding } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';
import { staysBelow } from './rules.ts';
import { isListed, type Seen } from './seen.ts';

// mountd's list of NFSv3 mounts must follow the filesystem to the next node. Nothing here may fail or delay an action: the
// list is a courtesy to showmount.

export const fileMs = 3000;

/** Where rmtab lies on the exported filesystem itself (a shared state directory), it fails over with it. */
export const needsRmtabBackup = (
  { params }: Ctx,
  table: readonly Mount[],
  state: StateDirectory,
  path: string,
): boolean =>
  params.rmtab_backup !== 'none' &&
  staysBelow(params.rmtab_backup) &&
  mountHolding(table, state.real)?.device !== mountHolding(table, path)?.device;

/**
 * Saves each directory's entries in the directory itself, when they changed since the last time. Without NFSv3 clients nothing is
 * ever written there: it would break the directory delegation of an NFSv4 client (Linux 6.19), who may not be able to answer.
 */
export async function backUpRmtab(ctx: Ctx, { table, state, directories }: Seen): Promise<void> {
  const { host, memory, params } = ctx;
  const paths = directories.filter(isListed).map(({ path }) => path);
  const needy = paths.filter((path) => needsRmtabBackup(ctx, table, state, path));
  if (needy.length === 0) return;
  let rmtab: string | undefined;
  await quietly(ctx, 'read rmtab', async () => {
    rmtab = await readState(host, state, 'rmtab', fileMs);
  });
  if (rmtab === undefined) return;
  const entries = parseRmtab(rmtab);
  for (const path of needy)
    await quietly(ctx, `back up rmtab to ${path}`, async () => {
      const text = formatRmtab(rmtabBelow(entries, path));
      if (text === ((await memory.fact<string>(`rmtab ${path}`)) ?? '')) return;
      // noted first: what cannot be written is told once and tried again after the next change, not at every monitor
      await memory.hint(`rmtab ${path}`, text);
      const { beneath } = await import('../../lib/host/storage/beneath.ts');
      const ask = { path: params.rmtab_backup, text };
      await beneath(host, path, 'replaceFile', ask, { timeoutMs: fileMs });
    });
}

/** A list for showmount is never worth a failure. */
export async function quietly({ log }: Ctx, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn(`cannot ${what}: ${error instanceof Error ? error.message : error}`);
  }
}
