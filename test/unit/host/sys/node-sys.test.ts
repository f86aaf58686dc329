import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const folder = () => mkdtempSync(join(tmpdir(), 'tsha-sys-'));

test('C4: a file that cannot be replaced leaves no draft', async () => {
  const dir = folder();
  mkdirSync(join(dir, 'taken/by-others'), { recursive: true });
  await expect(nodeSys(process.env).write(join(dir, 'taken'), 'text')).rejects.toMatchObject({
    code: 'EISDIR',
  });
  expect(readdirSync(dir)).toEqual(['taken']);
});

test('a link that lies where the draft goes is replaced, never written through', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'victim'), 'precious');
  symlinkSync(join(dir, 'victim'), join(dir, `file.tsha-${process.pid}`));
  await nodeSys(process.env).write(join(dir, 'file'), 'text');
  expect(readFileSync(join(dir, 'victim'), 'utf8')).toBe('precious');
  expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('text');
  expect(readdirSync(dir).sort()).toEqual(['file', 'victim']);
});
