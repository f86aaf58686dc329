import { readState } from '../../lib/host/nfs/exports.ts';
import { formatRmtab, parseRmtab, rmtabBelow, rmtabMissing } from '../../lib/host/nfs/rmtab.ts';
import { readManaged } from '../../lib/host/storage/managed-files.ts';
import type { Ctx } from './params.ts';
import { fileMs, needsRmtabBackup, quietly } from './rmtab-backup.ts';
import type { Seen } from './seen.ts';

// A start's part of what rmtab-backup.ts tells of; no monitor loads it.

const restoreTries = 3;

/**
 * Adds saved entries that rmtab lacks. mountd locks rmtab in a way that no tool can; so lines are only ever appended, which
 * takes nothing from mountd, and added again if mountd replaced the file meanwhile.
 */
export async function restoreRmtab(ctx: Ctx, { table, state, directories }: Seen): Promise<void> {
  const { host, memory, params } = ctx;
  for (const { path } of directories) {
    if (!needsRmtabBackup(ctx, table, state, path)) continue;
    await quietly(ctx, `restore rmtab from ${path}`, async () => {
      const saved = await readManaged(host, `${path}/${params.rmtab_backup}`, fileMs);
      const backup = rmtabBelow(parseRmtab(saved ?? ''), path);
      await memory.hint(`rmtab ${path}`, formatRmtab(backup));
      for (let tries = 0; tries < restoreTries; tries++) {
        const rmtab = (await readState(host, state, 'rmtab', fileMs)) ?? '';
        const missing = rmtabMissing(parseRmtab(rmtab), backup);
        if (missing.length === 0) return;
        const argv = ['tee', '-a', '--', `${state.path}/rmtab`] as const;
        await host.run(argv, { input: formatRmtab(missing), timeoutMs: fileMs });
      }
    });
  }
}
