import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** What runs agents of the script flavour with their compiled code, which lies beside it. */
export const cachedRunner = 'cached.cjs';
export const cachedRunnerSource = join(import.meta.dirname, 'launcher', cachedRunner);

export const cacheOf = (agent: string): string => `${agent}.v8`;

/** Has `node` compile an installed agent for `runner`, which lies where it will run. */
export function makeCodeCache(node: string, runner: string, agentFile: string): void {
  execFileSync(node, [runner, '--make', agentFile], { env: {}, cwd: '/', timeout: 60_000 });
}
