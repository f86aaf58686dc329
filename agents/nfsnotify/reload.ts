import { tallyName } from '../../lib/host/nfs/nsm-records.ts';
import { keepTelling } from '../../lib/host/nfs/nsm-sender.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

/** What the process in the background does: as long as it takes, or as long as it has. */
export async function reload(ctx: Ctx): Promise<void> {
  const { hosts, port } = wanted(ctx);
  await keepTelling(ctx, tallyName('nfsnotify', ctx.request.instance), hosts, port);
}
