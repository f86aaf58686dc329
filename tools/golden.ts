import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { products, projectFolder } from '../packaging/products.ts';

// Writes metadata/golden anew from the declarations. What changed is read in `git diff` before it is committed.

for (const { name, metadata } of products)
  if (metadata) writeFileSync(join(projectFolder, 'metadata/golden', `${name}.xml`), metadata);
