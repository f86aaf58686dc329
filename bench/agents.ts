import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { cachedRunner, cachedRunnerSource, makeCodeCache } from '../packaging/code-cache.ts';
import { nativeProgram, setPlaces } from '../packaging/launcher.ts';
import { agentNames, projectFolder } from '../packaging/products.ts';
import type { Contestant } from './statistics.ts';

const stockFolder = (agent: string) => `/usr/lib/ocf/resource.d/${agent === 'drbd' ? 'linbit' : 'heartbeat'}`;

/** Our executables as an installation leaves them: the path of the runtime fixed. */
export async function installAgents(folder: string): Promise<void> {
  const program = join(projectFolder, 'dist/native', nativeProgram);
  // As after a boot: pages of a file that was just written are mapped in bigger pieces, which counts as more memory.
  await execa('dd', [`of=${program}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
  const runner = join(folder, cachedRunner);
  copyFileSync(cachedRunnerSource, runner);
  for (const [flavour, built, places] of [
    ['native', 'dist/native', { runtime: program }],
    ['script', 'dist', { runtime: process.execPath, runner }],
  ] as const) {
    mkdirSync(join(folder, flavour));
    for (const agent of agentNames) {
      const file = join(folder, flavour, agent);
      writeFileSync(file, setPlaces(readFileSync(join(projectFolder, built, agent), 'utf8'), places));
      chmodSync(file, 0o755);
      if (flavour === 'script') makeCodeCache(process.execPath, runner, file);
    }
  }
}

export const executable = (folder: string, who: Contestant, agent: string): string =>
  join(who === 'stock' ? stockFolder(agent) : join(folder, who), agent);
