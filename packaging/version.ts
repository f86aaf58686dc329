import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './products.ts';

/** The one place of the version is package.json. */
export const version: string = (
  JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { version: string }
).version;
