import { readState } from '../../lib/host/nfs/exports.ts';
import { formatRmtab, parseRmtab, rmtabBelow, rmtabMissing } from '../../lib/host/nfs/rmtab.ts';
import { beneath } from '../../lib/host/storage/beneath.ts';
import type { Ctx } from './params.ts';
import { fileMs, needsRmtabBackup, quietly } from './rmtab-backup.ts';
import type { Seen } from './seen.ts';

// A start's part of what rmtab-backup.ts tells of; no monitor loads it.

const restoreTries = 3;
const longestRmtab = 4 << 20; // bytes: whoever may write to the disk wrote it

/**
 * Adds saved entries that rmtab lacks. mountd locks rmtab in a way that no tool can; so lines are only ever appended, which
 * takes nothing from mountd, and added again if mountd replaced the file meanwhile.
 */
export async function restoreRmtab(ctx: Ctx, { table, state, directories }: Seen): Promise<void> {
  const { host, memory, params } = ctx;
  for (const { path } of directories) {
    if (!needsRmtabBackup(ctx, table, state, path)) continue;
    await quietly(ctx, `restore rmtab from ${path}`, async () => {
      const ask = { path: params.rmtab_backup, most: longestRmtab };
      const saved = await beneath(host, path, 'readFile', ask, { timeoutMs: fileMs });
      const backup = rmtabBelow(parseRmtab(saved ?? ''), path);
      await memory.hint(`rmtab ${path}`, formatRmtab(backup));
      for (let tries = 0; tries < restoreTries; tries++) {
        const rmtab = (await readState(host, state, 'rmtab', fileMs)) ?? '';
        const missing = rmtabMissing(parseRmtab(rmtab), backup);
        if (missing.length === 0) return;
        const added = { path: 'rmtab', text: formatRmtab(missing) };
        await beneath(host, state.path, 'appendFile', added, { timeoutMs: fileMs });
      }
    });
  }
}
