import { join } from 'node:path';
import fs from 'fs-extra';
import type { Machine } from './machines/machine.ts';
import type { Grace } from './settings.ts';

/** The image has the times that are recommended; a longer grace is the kernel's own, where nobody set any. */
const isKernels = (grace: Grace): boolean => grace === 90;

/** Puts empty files in the place of the image's. */
export async function stageGrace(folder: string, grace: Grace): Promise<void> {
  if (!isKernels(grace)) return;
  for (const file of ['etc/nfs.conf.d/ha.conf', 'etc/modprobe.d/ha-nfs.conf'])
    await fs.outputFile(join(folder, file), '');
}

/** lockd was loaded when the node booted, with the image's time. */
export async function forgetGrace(node: Machine, grace: Grace, signal: AbortSignal): Promise<void> {
  if (isKernels(grace)) await node.run('echo 0 > /proc/sys/fs/nfs/nlm_grace_period', { signal });
}
