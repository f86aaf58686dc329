import { expect, test } from 'vitest';
import { nodeSys } from '../../../../lib/host/sys/node-sys.ts';

test('the deadline gets its turn amid a scan of thousands of files', async () => {
  const sys = nodeSys(process.env);
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 60);
  const end = sys.now() + 3000;
  while (!fired && sys.now() < end) await sys.read('/proc/self/stat');
  expect(fired).toBe(true);
});

test('what cannot be read rejects with the code of the system', async () => {
  const sys = nodeSys(process.env);
  for (const look of [sys.read, sys.list, sys.target, (file: string) => sys.facts(file)])
    await expect(look('/proc/no-such-file')).rejects.toMatchObject({ code: 'ENOENT' });
});
