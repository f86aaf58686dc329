import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { writeWhole } from '../../../cli/output/whole-file.ts';

vi.mock('node:fs', async (actual) => {
  const real = await actual<typeof fs>();
  return { ...real, writeSync: vi.fn(real.writeSync) };
});

let dir: string;
let file: string;
beforeEach(() => {
  dir = fs.mkdtempSync('/tmp/tsha-whole-');
  file = join(dir, 'tsha.prom');
  fs.writeFileSync(file, 'old');
});
afterEach(() => {
  vi.mocked(fs.writeSync).mockReset();
  fs.rmSync(dir, { recursive: true });
});

const write = (text: string) => writeWhole(file, Buffer.from(text), 0o644);

test('a disk that takes a byte at a time gets all of them', async () => {
  const real = await vi.importActual<typeof fs>('node:fs');
  vi.mocked(fs.writeSync).mockImplementation(((fd: number, bytes: Uint8Array, at: number) =>
    real.writeSync(fd, bytes, at, 1)) as typeof fs.writeSync);
  write('new text');
  expect(fs.readFileSync(file, 'utf8')).toBe('new text');
  expect(fs.readdirSync(dir)).toEqual(['tsha.prom']);
});

test('a full disk keeps the old file, and nothing beside it', () => {
  vi.mocked(fs.writeSync).mockImplementation(() => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  });
  expect(() => write('new')).toThrow('ENOSPC');
  expect(fs.readFileSync(file, 'utf8')).toBe('old');
  expect(fs.readdirSync(dir)).toEqual(['tsha.prom']);
});

test("another one's draft is left alone", () => {
  const draft = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(draft, 'theirs');
  expect(() => write('new')).toThrow('EEXIST');
  expect(fs.readFileSync(draft, 'utf8')).toBe('theirs');
});
