import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { compiler } from '../../packaging/native.ts';
import { udpStories } from './udp-stories.ts';

const rows = Object.entries(udpStories).map(([name, [story, expected]]) => [name, story, expected] as const);

describe('in Node', () => {
  test.each(rows)('%s', async (_name, story, expected) => {
    expect(await story()).toEqual(expected);
  });
});

describe('in Bun, which runs the native flavour', () => {
  test.each(rows)('%s', async (name, _story, expected) => {
    const argv = ['run', join(import.meta.dirname, 'udp-stories.ts'), name];
    const { stdout } = await execa(compiler(), argv, { env: { BUN_JSC_useJIT: '0' }, timeout: 250_000 });
    expect(JSON.parse(stdout)).toEqual(expected);
  });
});
