import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive, isFree, openSandbox, type Sandbox, startedOn } from './sandbox.ts';

// While nothing else runs: every stop on the machine looks at all descriptors, those of this user among them.

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

test('S10: a user without rights who has 1.2 million descriptors, of which a few are here, the last ones: ended in time', async () => {
  const resource = await startedOn(sandbox, 'ext4', { meta_timeout: '40000' });
  const place = `${resource.directory}/public`;
  mkdirSync(`/proc/${sandbox.pid}/root${place}`);
  await sandbox.run('chmod', '777', place);
  const way = join(import.meta.dirname, 'hostile.py');
  const user = await sandbox.user(`ulimit -n $(ulimit -Hn); exec /usr/bin/python3 ${way} many ${place}`);
  const answer = await sandbox.ours('stop', resource);
  expect(answer).toMatchObject({ code: 0, stderr: expect.stringMatching(/\(fd \d+ /) });
  expect([isAlive(user.pid), isFree(resource.device)]).toEqual([false, true]);
});
