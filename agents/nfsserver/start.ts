import { Failure } from '../../lib/contract/outcome.ts';
import { type StatdHome, statdHome, stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { rememberClientUnits } from './client-units.ts';
import { checkUnits, standstill, startServer } from './daemons.ts';
import { examine, wantsV3 } from './health.ts';
import { bind, binding, sharedInfodir } from './infodir.ts';
import { claim, refuseSecond } from './instance.ts';
import { endLockGrace, loadNfsd, setNumbers, timesOf } from './kernel.ts';
import { managerOf } from './manager.ts';
import { notify } from './notify.ts';
import { checkNotifyCommand } from './notify-command.ts';
import type { Ctx } from './params.ts';
import { mountPipefs } from './pipefs.ts';
import { startRquotad } from './rquotad.ts';
import { scopeFacts, settleScope } from './scope.ts';
import { writeSettings } from './settings.ts';
import { type Furnished, furnish } from './state.ts';

/** State directory first, daemons second: a daemon that runs already has its files in the directory that is about to be hidden. */
export async function start(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const { threads, problems } = await examine(ctx);
  if (threads > 0) await refuseSecond(ctx);
  if (threads > 0 && problems.length === 0) return log.info('the NFS server runs already');
  await checkNotifyCommand(ctx);
  const manager = await managerOf(ctx);
  await checkUnits(ctx, manager);
  const home = await statdHome(host);
  await rememberClientUnits(ctx, threads);

  // before any of our own programs runs that could be taken for a leftover of the server
  await standstill(ctx);
  // The kernel takes its time to load the modules, and systemd its own to answer: meanwhile the state directory gets ready.
  const atOnce = [scopeFacts(ctx, manager), prepareState(ctx, home), loadNfsd(host)] as const;
  await Promise.allSettled(atOnce); // whatever fails: a mount on its way must not land behind the back of the stop
  const [facts, { isNew, namesV3Clients }] = await Promise.all(atOnce);
  const scope = await settleScope(ctx, manager, facts);
  const times = await timesOf(ctx, isNew);
  await writeSettings(ctx, scope, times);
  await setNumbers(ctx, times);
  await startServer(ctx, manager, scope.node);
  if (ctx.params.nfs_shared_infodir !== undefined && !namesV3Clients) await endLockGrace(ctx);
  await startRquotad(ctx);
  await claim(ctx);
  await notify(ctx);
}

async function prepareState(ctx: Ctx, home: StatdHome): Promise<Furnished> {
  await share(ctx);
  const furnished = await furnish(ctx, home, await wantsV3(ctx));
  await mountPipefs(ctx);
  return furnished;
}

/** Brings the shared state directory to its place, or finds it there. */
async function share(ctx: Ctx): Promise<void> {
  const infodir = sharedInfodir(ctx);
  if (infodir === undefined) return;
  const found = await binding(ctx);
  if (found.is === 'foreign')
    throw new Failure(
      'failed',
      `${found.mount.source} is mounted on ${stateRoot}: nfs_shared_infodir ${infodir} cannot be mounted there`,
    );
  if (found.is === 'ours') return;
  await bind(ctx, infodir);
}
