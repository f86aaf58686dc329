import { rmSync } from 'node:fs';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../build/bundle.ts';
import { projectFolder } from '../../build/products.ts';

const bundled = new Map<string, Promise<string>>();

/** The agent as one file for `node`, bundled once per test run; `meta-data` needs the launcher, which the contract tier tests. */
export function agentUnderTest(name: string): Promise<string> {
  const known = bundled.get(name) ?? bundleAgent(name);
  bundled.set(name, known);
  return known;
}

async function bundleAgent(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tsha-host-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const file = join(folder, `${name}.cjs`);
  await writeFile(file, await bundle({ entryPoints: [join(projectFolder, 'agents', name, 'main.ts')] }));
  return file;
}
