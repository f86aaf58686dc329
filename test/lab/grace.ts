import { join } from 'node:path';
import fs from 'fs-extra';
import type { Machine } from './machines/machine.ts';
import type { Grace } from './settings.ts';

/** The image has the recommended time. */
const isImages = (grace: Grace): boolean => grace === 15;
/** What the kernel does by itself, where nobody set any; NFSv3 locks wait 50 s then. */
const isKernels = (grace: Grace): boolean => grace === 90;

/** Puts other files in the place of the image's. */
export async function stageGrace(folder: string, grace: Grace): Promise<void> {
  if (isImages(grace)) return;
  const nfsd = isKernels(grace) ? '' : `[nfsd]\ngrace-time=${grace}\nlease-time=${grace}\n`;
  const lockd = isKernels(grace) ? '' : `options lockd nlm_grace_period=${grace}\n`;
  await fs.outputFile(join(folder, 'etc/nfs.conf.d/ha.conf'), nfsd);
  await fs.outputFile(join(folder, 'etc/modprobe.d/ha-nfs.conf'), lockd);
}

/** lockd was loaded when the node booted, with the image's time. */
export async function forgetGrace(node: Machine, grace: Grace, signal: AbortSignal): Promise<void> {
  if (isImages(grace)) return;
  await node.run(`echo ${isKernels(grace) ? 0 : grace} > /proc/sys/fs/nfs/nlm_grace_period`, { signal });
}
