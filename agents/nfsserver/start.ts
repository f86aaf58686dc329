import { ensureDirectory, pathFacts } from '../../lib/host/files.ts';
import { isWithin, mountOn, mounts, tidyPath } from '../../lib/host/mounts.ts';
import { nfsConf } from '../../lib/host/nfs-conf.ts';
import { statdHome, stateRoot } from '../../lib/host/nfs-state.ts';
import { hasSystemd } from '../../lib/host/units.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import { endLeftovers, startServer, stopServer } from './daemons.ts';
import { examine } from './health.ts';
import { bind, binding, hasPipefs, sharedInfodir } from './infodir.ts';
import { notify } from './notify.ts';
import type { Ctx } from './params.ts';
import { scopeForConf } from './scope.ts';
import { writeSettings } from './settings.ts';
import { furnish } from './state.ts';

/** State directory first, daemons second: a daemon that runs already has its files in the directory that is about to be hidden. */
export async function start(ctx: Ctx): Promise<void> {
  const { host, log } = ctx;
  const { threads, problems } = await examine(ctx);
  if (threads > 0 && problems.length === 0) return log.info('the NFS server runs already');
  if (!(await hasSystemd(host)))
    throw new Failure(
      'notInstalled',
      'systemd does not run here: tsha:nfsserver needs it to start the NFS daemons',
    );

  const statd = await statdHome(host);
  const isLocal = (await binding(ctx)).is === 'nothing';
  const local = isLocal ? await host.sys.facts(`${statd.dir}/sm`).catch(() => undefined) : undefined;
  await standstill(ctx);
  await share(ctx);
  await furnish(ctx, { ...statd, owner: local ?? statd.owner });
  await mountPipefs(ctx);
  await writeSettings(ctx, await scopeForConf(ctx));
  await startServer(ctx);
  await notify(ctx);
}

async function standstill(ctx: Ctx): Promise<void> {
  await stopServer(ctx);
  const left = await endLeftovers(ctx.host);
  if (left.length > 0)
    ctx.log.warn(`still there: ${left.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`);
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
  const there = await pathFacts(ctx.host, infodir);
  if (there && there.kind !== 'directory')
    throw new Failure('failed', `nfs_shared_infodir ${infodir} is not a directory`);
  await ensureDirectory(ctx.host, infodir);
  await bind(ctx, infodir);
}

const standardPipefs = `${stateRoot}/rpc_pipefs`;

/** rpc_pipefs where the daemons look for it: systemd mounts it for them, but not where we hide its mount point or want another. */
async function mountPipefs({ host, params }: Ctx): Promise<void> {
  const asked = tidyPath(params.rpcpipefs_dir);
  const isStandard = asked === standardPipefs;
  const configured = isStandard ? (await nfsConf(host)).get('general', 'pipefs-directory') : undefined;
  const dir = configured ?? asked;
  if (await hasPipefs(host, dir)) return;
  const isHidden = isWithin(dir, stateRoot) && mountOn(await mounts(host), stateRoot) !== undefined;
  if (isStandard && !isHidden) return;
  await ensureDirectory(host, dir);
  await host.run(['mount', '-t', 'rpc_pipefs', 'sunrpc', dir]);
}
