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

test('a directory is made with its parents, by whoever comes first, and what keeps it from being made is said', async () => {
  const dir = folder();
  const sys = nodeSys({});
  for (const path of ['a/b/c', 'a/b', 'a//d/']) await sys.makeDir(join(dir, path));
  expect((await sys.facts(join(dir, 'a/b/c'))).kind).toBe('directory');
  await sys.write(join(dir, 'file'), '');
  await expect(sys.makeDir(join(dir, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(sys.makeDir(join(dir, 'file/x/y'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(sys.makeDir(`/proc/${process.pid}/x/y`)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('S20: what is removed is a file or a link, never more', async () => {
  const dir = folder();
  const sys = nodeSys({});
  mkdirSync(join(dir, 'tree/below'), { recursive: true });
  symlinkSync('tree', join(dir, 'link'));
  await expect(sys.remove(join(dir, 'tree'))).rejects.toThrow();
  for (const name of ['link', 'nothing', 'tree/nothing']) await sys.remove(join(dir, name));
  expect(readdirSync(dir)).toEqual(['tree']);
  await sys.removeTree(join(dir, 'tree'));
  await sys.removeTree(join(dir, 'tree'));
  expect(readdirSync(dir)).toEqual([]);
});
