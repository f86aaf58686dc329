import { ensureDirectory } from '../../lib/host/files.ts';
import { isWithin, mountOn, mounts, tidyPath } from '../../lib/host/mounts.ts';
import { nfsConf } from '../../lib/host/nfs-conf.ts';
import { statdHome, stateRoot } from '../../lib/host/nfs-state.ts';
import { hasSystemd, type Unit } from '../../lib/host/units.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import { standstill, startServer, unitsBefore } from './daemons.ts';
import { examine, wantsV3 } from './health.ts';
import { bind, binding, hasPipefs, sharedInfodir } from './infodir.ts';
import { claim, refuseSecond } from './instance.ts';
import { loadNfsd, setNumbers, timesOf } from './kernel.ts';
import { managerOf } from './manager.ts';
import { notify } from './notify.ts';
import { checkNotifyCommand } from './notify-command.ts';
import type { Ctx } from './params.ts';
import { startRquotad } from './rquotad.ts';
import { settleScope } from './scope.ts';
import { writeSettings } from './settings.ts';
import { furnish } from './state.ts';

/** State directory first, daemons second: a daemon that runs already has its files in the directory that is about to be hidden. */
export async function start(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const { threads, problems } = await examine(ctx);
  if (threads > 0) await refuseSecond(ctx);
  if (threads > 0 && problems.length === 0) return log.info('the NFS server runs already');
  await checkNotifyCommand(ctx);
  const manager = await managerOf(ctx);
  // the kernel takes its time to load the modules: meanwhile the state directory gets ready
  const [units] = await Promise.all([unitsBefore(ctx, manager), loadNfsd(host)]);
  const home = await statdHome(host);
  await rememberStatd(ctx, units, threads);

  await standstill(ctx, units);
  await share(ctx);
  const isNew = await furnish(ctx, home, await wantsV3(ctx));
  await mountPipefs(ctx);
  const scope = await settleScope(ctx, manager, units[0]);
  const times = await timesOf(ctx, isNew);
  await writeSettings(ctx, scope.conf, times);
  await setNumbers(ctx, times);
  await startServer(ctx, manager, units, scope.node);
  await startRquotad(ctx);
  await claim(ctx);
  await notify(ctx);
}

/** The units to start again when the server has stopped: an NFS client of this node needs its statd. */
export const clientUnits = 'client units';

async function rememberStatd(ctx: Ctx, units: readonly Unit[], threads: number): Promise<void> {
  if (threads > 0 || (await binding(ctx)).is === 'ours') return;
  const running = units.filter(({ id, active }) => active === 'active' && statdUnits.has(id));
  await ctx.memory.note(
    clientUnits,
    running.map(({ id }) => id),
  );
}

const statdUnits: ReadonlySet<string> = new Set(['rpc-statd.service', 'nfs-lock.service']);

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

const standardPipefs = `${stateRoot}/rpc_pipefs`;
/** Where this resource mounted rpc_pipefs outside of the state directory. */
export const pipefsFact = 'pipefs';

/** rpc_pipefs where the daemons look for it: systemd mounts it for them, but not where we hide its mount point or want another. */
async function mountPipefs({ host, params, memory }: Ctx): Promise<void> {
  const asked = tidyPath(params.rpcpipefs_dir);
  const isStandard = asked === standardPipefs;
  const configured = isStandard ? (await nfsConf(host)).get('general', 'pipefs-directory') : undefined;
  const dir = configured ?? asked;
  if (await hasPipefs(host, dir)) return;
  const table = await mounts(host);
  const isHidden = isWithin(dir, stateRoot) && mountOn(table, stateRoot) !== undefined;
  if (isStandard && !isHidden && (await hasSystemd(host))) return;
  await ensureDirectory(host, dir);
  await host.run(['mount', '-t', 'rpc_pipefs', 'sunrpc', dir]);
  await memory.note(pipefsFact, dir);
}
