import { join } from 'node:path';
import { execa } from 'execa';
import { projectFolder } from '../../packaging/products.ts';

/** Every package, once for all files; again only when something that goes into them is newer. */
export default async function setup(): Promise<void> {
  await execa(join(projectFolder, 'build.sh'), ['package'], { stdio: ['ignore', 'ignore', 'inherit'] });
}
