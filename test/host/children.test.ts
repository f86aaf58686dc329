import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { compiler } from '../../packaging/native.ts';
import { stories, tell } from './child-stories.ts';

const rows = Object.entries(stories).map(([name, [, expected]]) => [name, expected] as const);

describe('in Node', () => {
  test.each(rows)('%s', async (name, expected) => {
    expect(await tell(name)).toEqual(expected);
  });
});

describe('in Bun, which runs the native flavour', () => {
  test.each(rows)('%s', async (name, expected) => {
    const argv = ['run', join(import.meta.dirname, 'child-stories.ts'), name];
    const { stdout } = await execa(compiler(), argv, { env: { BUN_JSC_useJIT: '0' }, timeout: 250_000 });
    expect(JSON.parse(stdout)).toEqual(expected);
  });
});
