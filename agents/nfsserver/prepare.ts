import { hostOn } from '../../lib/host/host.ts';
import { endServerAfterPacemaker } from './by-systemd.ts';
import { loadNfsd } from './kernel.ts';
import type { Ctx } from './params.ts';
import { prepareDropIn } from './scope.ts';
import type { Survey } from './survey.ts';

/** A probe must answer in time, whatever systemd does. */
const patienceMs = 8000;

/**
 * What the first start after boot would cost clients otherwise, done by the probe of a node where nothing runs: the kernel's modules
 * are loaded, and systemd reads the drop-in that older nfs-utils need, and the order of a shutdown. Nothing of it does anything by
 * itself. Never fails.
 */
export async function prepare(ctx: Ctx, survey: Survey): Promise<void> {
  const { sys } = ctx.host;
  if (sys.uid !== 0) return;
  const host = hostOn(sys, sys.now() + Math.min(patienceMs, ctx.host.left() / 2));
  const { manager } = survey;
  if (manager.by === 'nobody' || (manager.by === 'systemd' && manager.server === undefined)) return;
  try {
    await loadNfsd(host);
    await prepareDropIn(host, ctx.log, ctx.params.nfs_server_scope, survey);
    await endServerAfterPacemaker(host, ctx.log, survey);
  } catch (error) {
    ctx.log.info(`the first start will take longer: ${error instanceof Error ? error.message : error}`);
  }
}
