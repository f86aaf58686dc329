import { join } from 'node:path';
import fs from 'fs-extra';
import type { Machine } from './machines/machine.ts';
import type { Grace } from './settings.ts';

/** The image has the recommended time. */
const imagesGrace: Grace = 15;
/** What the kernel does by itself, where nobody set any; NFSv3 locks wait 50 s then. */
const isKernels = (grace: Grace): boolean => grace === 90;

const path = 'etc/nfs.conf.d/ha.conf';
/** Empty where the kernel is to have its own way. rpc.nfsd gives lockd the same. */
const fileOf = (grace: Grace): string =>
  isKernels(grace) ? '' : `[nfsd]\ngrace-time=${grace}\nlease-time=${grace}\n`;

/** Puts another file in the place of the image's. */
export async function stageGrace(folder: string, grace: Grace): Promise<void> {
  if (grace !== imagesGrace) await fs.outputFile(join(folder, path), fileOf(grace));
}

/** The same on a node that runs, before its server starts. */
export async function setGrace(node: Machine, grace: Grace, signal: AbortSignal): Promise<void> {
  await node.run(`printf '%s' '${fileOf(grace)}' > /${path}`, { signal });
}
