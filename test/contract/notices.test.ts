import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtIn } from '../../packaging/files.ts';
import { bunVersions } from '../../packaging/native.ts';
import { bunParts, onlyNumbers } from '../../packaging/notices/bun-parts.ts';
import { noticesFile } from '../../packaging/notices/notices.ts';
import { commandName } from '../../packaging/products.ts';
import { agents } from './agents.ts';
import { agentOf, run } from './call.ts';

/** In a bundle, esbuild marks where code of a package begins. */
const packagesMarkedIn = (code: string): readonly string[] => [
  ...new Set(
    [...code.matchAll(/^\/\/ .*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)].flatMap(
      ([, name]) => name ?? [],
    ),
  ),
];

describe('notices', () => {
  test.each([...agents, commandName])(
    'the script flavour’s %s has the licence of every package in it',
    (name) => {
      const code = readFileSync(agentOf('script', name), 'utf8');
      const beside = readFileSync(join(builtIn('script'), noticesFile), 'utf8');
      for (const one of packagesMarkedIn(code)) {
        const title = new RegExp(`^${one.replaceAll('.', '\\.')} \\d[\\d.]* \\(.+\\)$`, 'm');
        expect(code).toMatch(title);
        expect(beside).toMatch(title);
      }
    },
  );

  test('there is something to tell', () => {
    expect(packagesMarkedIn(readFileSync(agentOf('script', commandName), 'utf8'))).toContain('yargs');
  });

  test('the native program tells its own, the same as lie beside it', async () => {
    const beside = readFileSync(join(builtIn('native'), noticesFile), 'utf8');
    const program = agentOf('native', 'tsha-agents');
    expect(await run([program, 'notices'])).toMatchObject({ code: 0, stdout: beside, stderr: '' });
    expect(beside).toMatch(/^yargs \d/m);
  });

  test('every part that Bun tells a version of is known', async () => {
    const known = [...onlyNumbers, ...bunParts.flatMap(({ version }) => version ?? [])];
    expect(Object.keys(await bunVersions()).filter((name) => !known.includes(name))).toEqual([]);
  });
});
