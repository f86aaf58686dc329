import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { TestProject } from 'vitest/node';
import { metadataXml } from '../../metadata/xml.ts';
import { bundleScript } from '../../packaging/bundle.ts';
import { compileNative } from '../../packaging/native.ts';
import { type Product, projectFolder } from '../../packaging/products.ts';
import { dummy, en, zh } from './dummy/agent.ts';
import { flavours } from './flavours.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Holds `<flavour>/Dummy`, and `<flavour>/root`, a tree as `build.sh install --root` lays it. */
    readonly contractFolder: string;
  }
}

/** Builds what the contract tier calls, once: both flavours of every agent, and of the Dummy that carries its mischief. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'tsha-contract-'));
  await chmod(folder, 0o755); // meta-data is also asked for by nobody
  const product: Product = {
    name: dummy.name,
    entry: join(projectFolder, 'test/contract/dummy/main.ts'),
    metadata: metadataXml(dummy, { en, 'zh-CN': zh }),
  };
  const clean = () => rm(folder, { recursive: true, force: true });
  try {
    for (const flavour of flavours) {
      const dir = join(folder, flavour);
      await mkdir(dir, { mode: 0o755 });
      if (flavour === 'native') await compileNative([product], dir);
      else await bundleScript(product, dir);
      await execa(join(projectFolder, 'build.sh'), ['install', `--${flavour}`, '--root', join(dir, 'root')]);
    }
  } catch (error) {
    await clean();
    throw error;
  }
  project.provide('contractFolder', folder);
  return clean;
}
