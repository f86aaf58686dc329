import { statdHome } from '../../lib/host/nfs/state-directory.ts';
import { endServerAfterPacemaker } from './by-systemd.ts';
import { statdCallout } from './callout.ts';
import { rememberClientUnits } from './client-units.ts';
import { requireUnits, standstill, startServer } from './daemons.ts';
import { withholdDelegations } from './delegations.ts';
import { warnKeptElsewhere } from './elsewhere.ts';
import { warnNoLockGrace } from './grace-check.ts';
import { endLockGrace, loadNfsd, warnOtherLockGrace } from './kernel.ts';
import { notify, requireNotifyCommand } from './notify.ts';
import { makeOurs } from './ours.ts';
import { requireNoOther } from './owner.ts';
import type { Ctx } from './params.ts';
import { leaveToMonitor } from './records.ts';
import { takeRoom } from './reserve.ts';
import { startRquotad } from './rquotad.ts';
import { scopeFacts } from './scope.ts';
import { look } from './seen.ts';
import { settle } from './settings.ts';
import { furnish } from './state.ts';
import { requireStarter, survey } from './survey.ts';
import { lastTracking } from './tracking.ts';

/** State directory first, daemons second: a daemon that runs already has its files in the directory that is about to be hidden. */
export async function start(ctx: Ctx): Promise<void> {
  const { host, log, memory, params } = ctx;
  const facts = await survey(host, params);
  const seen = await look(ctx, facts);
  const runs = seen.is !== 'stopped' && seen.is !== 'bound';
  if (runs) await requireNoOther(host, memory);
  if (seen.is === 'serving') return log.info('the NFS server runs already');
  // also for the stop after a start that is refused
  if (seen.is === 'stopped') await rememberClientUnits(host, memory);
  await requireNotifyCommand(host, params.nfs_notify_cmd);
  const starter = requireStarter(facts.manager);
  await requireUnits(host, log, starter, facts);
  const home = await statdHome(host);

  // before any of our own programs runs that could be taken for a leftover of the server
  await standstill(host, log, facts.manager);
  // The kernel takes its time to load the modules, and systemd its own to answer: meanwhile the state directory gets ready.
  const callout = await statdCallout(host, log, facts);
  const atOnce = [
    scopeFacts(host, log, starter),
    furnish(ctx, facts, home, callout),
    loadNfsd(host),
  ] as const;
  await Promise.allSettled(atOnce); // whatever fails: a mount on its way must not land behind the back of the stop
  const [scope, { isNew, v3Clients }] = await Promise.all(atOnce);
  const node = await settle(ctx, facts, scope, isNew, callout);
  const tracking = await lastTracking(ctx);
  await withholdDelegations(ctx);
  await startServer(ctx, facts, starter, node);
  await warnOtherLockGrace(ctx);
  if (v3Clients !== 'none') await warnNoLockGrace(ctx, facts);
  if (params.nfs_shared_infodir !== undefined && v3Clients === 'none') await endLockGrace(host, log);
  await warnKeptElsewhere(ctx, facts);
  await takeRoom(ctx);
  await startRquotad(ctx, facts);
  await makeOurs(ctx, facts, tracking);
  await leaveToMonitor(memory, facts.v3 && callout === undefined);
  await notify(ctx, facts);
  await endServerAfterPacemaker(host, log, facts);
}
