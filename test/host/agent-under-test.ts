import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../../packaging/bundle.ts';
import { projectFolder } from '../../packaging/products.ts';

const bundled = new Map<string, Promise<string>>();

/** The agent as one file for `node`, bundled once per test file; `meta-data` needs the launcher, which the contract tier tests. */
export function agentUnderTest(name: string): Promise<string> {
  const known = bundled.get(name) ?? bundleAgent(name);
  bundled.set(name, known);
  return known;
}

async function bundleAgent(name: string): Promise<string> {
  const folder = join(projectFolder, '.cache/host');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.cjs`);
  const draft = `${file}.${process.pid}`; // test files run at the same time
  const { code } = await bundle(join(projectFolder, 'agents', name, 'main.ts'));
  await writeFile(draft, code);
  await rename(draft, file);
  return file;
}
