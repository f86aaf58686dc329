import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { atWork } from '../../../cli/commands/change.ts';
import { lockFileIn } from '../../../cli/facts/at-work.ts';
import { FakePair } from '../../fake/pair.ts';

test.each([0o077, 0o002])('S21: with umask %o, too, anybody can read who is at work', async (umask) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsha-lock-'));
  const pair = new FakePair('healthy');
  onTestFinished(() => {
    for (const one of [dir, ...Object.values(pair.lockDirs)]) rmSync(one, { recursive: true, force: true });
  });
  const lockDir = join(dir, 'below');
  const before = process.umask(umask);
  try {
    const call = { ...pair.call('node1'), lockDir };
    const modes = () => [lockDir, lockFileIn(lockDir)].map((path) => statSync(path).mode & 0o777);
    await atWork(call, 'switch', async () => {
      expect(modes()).toEqual([0o755, 0o644]);
      return 'well';
    });
  } finally {
    process.umask(before);
  }
});
