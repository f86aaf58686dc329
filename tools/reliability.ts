import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '../packaging/products.ts';
import { readLedger } from '../test/lab/faults/ledger.ts';
import { reliabilityTables } from '../test/lab/faults/page.ts';

/** Sums the ledger of the lab's faults up into docs/reliability.md, below the line that says so. */
const page = join(projectFolder, 'docs/reliability.md');
const mark =
  '<!-- What follows is written by `./build.sh reliability`, from test/lab/faults/ledger.jsonl. -->\n';

const text = await readFile(page, 'utf8');
const [prose = ''] = text.split(mark);
await writeFile(page, `${prose}${mark}\n${reliabilityTables(await readLedger())}`);
