import { statdHome } from '../../lib/host/nfs/state-directory.ts';
import { statdCallout } from './callout.ts';
import { rememberClientUnits } from './client-units.ts';
import { requireUnits, standstill, startServer } from './daemons.ts';
import { claim, requireNoOther } from './instance.ts';
import { endLockGrace, loadNfsd } from './kernel.ts';
import { requireStarter } from './manager.ts';
import { notify, requireNotifyCommand } from './notify.ts';
import type { Ctx } from './params.ts';
import { leaveToMonitor } from './records.ts';
import { takeRoom } from './reserve.ts';
import { startRquotad } from './rquotad.ts';
import { scopeFacts } from './scope.ts';
import { look } from './seen.ts';
import { settle } from './settings.ts';
import { endServerAfterPacemaker } from './shutdown.ts';
import { furnish } from './state.ts';
import { survey } from './survey.ts';
import { askTracking, uptime } from './tracking.ts';

/** State directory first, daemons second: a daemon that runs already has its files in the directory that is about to be hidden. */
export async function start(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const facts = await survey(ctx);
  const seen = await look(ctx, facts);
  const runs = seen.is !== 'stopped' && seen.is !== 'bound';
  if (runs) await requireNoOther(ctx);
  if (seen.is === 'serving') return log.info('the NFS server runs already');
  await requireNotifyCommand(ctx);
  const starter = requireStarter(facts.manager);
  await requireUnits(ctx, starter, facts);
  const home = await statdHome(host);
  await rememberClientUnits(ctx, seen);

  // before any of our own programs runs that could be taken for a leftover of the server
  await standstill(ctx, facts);
  // The kernel takes its time to load the modules, and systemd its own to answer: meanwhile the state directory gets ready.
  const callout = await statdCallout(ctx, facts);
  const atOnce = [scopeFacts(ctx, starter), furnish(ctx, facts, home, callout), loadNfsd(host)] as const;
  await Promise.allSettled(atOnce); // whatever fails: a mount on its way must not land behind the back of the stop
  const [scope, { isNew, v3Clients }] = await Promise.all(atOnce);
  const node = await settle(ctx, facts, scope, isNew, callout);
  const began = await uptime(host);
  await startServer(ctx, facts, starter, node);
  if (ctx.params.nfs_shared_infodir !== undefined && v3Clients === 'none') await endLockGrace(ctx);
  await askTracking(ctx, facts, began);
  await takeRoom(ctx);
  await startRquotad(ctx, facts);
  await claim(ctx);
  await leaveToMonitor(ctx, facts.v3 && callout === undefined);
  await notify(ctx, facts);
  await endServerAfterPacemaker(ctx, facts);
}
