import { join } from 'node:path';
import fs from 'fs-extra';
import type { Machine } from './machines/machine.ts';
import type { Grace } from './settings.ts';

/** The image has the recommended time. */
const imagesGrace: Grace = 15;
/** What the kernel does by itself, where nobody set any; NFSv3 locks wait 50 s then. */
const isKernels = (grace: Grace): boolean => grace === 90;

/** lockd's may be shorter: NFSv3 has no lease that an idle client would have to notice the restart by. The kernel counts it in tens. */
const lockGraceOf = (grace: Grace): number => (grace === imagesGrace ? 10 : grace);

/** By path: empty where the kernel is to have its own way. */
const files = (grace: Grace) => ({
  'etc/nfs.conf.d/ha.conf': isKernels(grace) ? '' : `[nfsd]\ngrace-time=${grace}\nlease-time=${grace}\n`,
  'etc/modprobe.d/ha-nfs.conf': isKernels(grace)
    ? ''
    : `options lockd nlm_grace_period=${lockGraceOf(grace)}\n`,
});

/** Puts other files in the place of the image's. */
export async function stageGrace(folder: string, grace: Grace): Promise<void> {
  if (grace === imagesGrace) return;
  for (const [file, text] of Object.entries(files(grace))) await fs.outputFile(join(folder, file), text);
}

/** lockd was loaded when the node booted, with the image's time. */
export async function forgetGrace(node: Machine, grace: Grace, signal: AbortSignal): Promise<void> {
  if (grace === imagesGrace) return;
  await node.run(`echo ${isKernels(grace) ? 0 : lockGraceOf(grace)} > /proc/sys/fs/nfs/nlm_grace_period`, {
    signal,
  });
}

/** The same on a node that runs, before its server starts. */
export async function setGrace(node: Machine, grace: Grace, signal: AbortSignal): Promise<void> {
  for (const [file, text] of Object.entries(files(grace)))
    await node.run(`printf '%s' '${text}' > /${file}`, { signal });
  await forgetGrace(node, grace, signal);
}
