import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { compiler } from '../../packaging/native.ts';
import { stories } from './child-stories.ts';

const rows = Object.entries(stories).map(([name, [, expected]]) => [name, expected] as const);

/** In a process namespace of its own: a story chooses the numbers of its processes. */
async function told(name: string, runtime: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const argv = [...runtime, join(import.meta.dirname, 'child-stories.ts'), name];
  const options = ['--pid', '--fork', '--mount-proc', '--kill-child', '--'];
  const { stdout } = await execa('unshare', [...options, ...argv], { env, timeout: 250_000 });
  return JSON.parse(stdout);
}

test.each(rows)('in Node: %s', async (name, expected) => {
  expect(await told(name, [process.execPath, '--import', 'tsx'])).toEqual(expected);
});

test.each(rows)('in Bun, which runs the native flavour: %s', async (name, expected) => {
  expect(await told(name, [compiler(), 'run'], { BUN_JSC_useJIT: '0' })).toEqual(expected);
});
