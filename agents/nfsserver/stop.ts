import { Failure } from '../../lib/contract/outcome.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import type { Host } from '../../lib/host/host.ts';
import { isDaemon } from '../../lib/host/host-daemons.ts';
import { bystanders, holderUnits, stateHolders } from '../../lib/host/nfs/daemons.ts';
import { ownThreads } from '../../lib/host/nfs/nfsd-threads.ts';
import { endSender } from '../../lib/host/nfs/nsm-sender.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import type { MountUser, Search } from '../../lib/host/storage/mount-users.ts';
import { type Mount, mountOn, mounts } from '../../lib/host/storage/mounts.ts';
import { usersInTheWay } from '../../lib/host/storage/propagation.ts';
import { serviceOf } from '../../lib/host/systemd.ts';
import { stopBySystemd } from './by-systemd.ts';
import { startAgain } from './client-units.ts';
import { endLeftovers, endProcesses, names, stopServer } from './daemons.ts';
import { allowDelegations } from './delegations.ts';
import { binding } from './infodir.ts';
import { restoreNumbers } from './kernel.ts';
import { mountingStill } from './late-mount.ts';
import { completeList } from './old-clients.ts';
import type { Ctx } from './params.ts';
import { pipefsOn, unmountPipefs } from './pipefs.ts';
import { stopRquotad } from './rquotad.ts';
import { otherOwner } from './seen.ts';
import { dropSettings } from './settings.ts';
import { findManager } from './survey.ts';
import { wanted } from './wanted.ts';

/** Kernel first, then the helpers, then the state directory, so that the filesystem below it can go to the other node. */
export async function stop(ctx: Ctx): Promise<void> {
  const { host, log, memory, params } = ctx;
  const asked = wanted(ctx);
  const late = await mountingStill(host, asked, host.left() * lateShare).catch(wordsOf);
  const found = await binding(host, memory, asked);
  const owner = await otherOwner(ctx, found);
  if (owner !== undefined) return log.info(`the NFS server of this node is ${owner}'s and goes on`);
  await endSender(host, memory);
  const isNever = found.is === 'nothing' && (await isNeverStarted(ctx));
  if (!isNever) {
    await completeList(ctx);
    await stopServer(host, log, await findManager(host, params.nfs_init_script));
  }
  await allowDelegations(ctx);
  const left = isNever ? [] : await endLeftovers(host);
  const again = found.is === 'ours' || found.is === 'moved' ? await release(ctx, found.mount) : [];
  if (found.is === 'foreign')
    log.warn(`${found.mount.source} on ${stateRoot} is not nfs_shared_infodir and stays mounted`);
  if (left.length > 0) throw new Failure('failed', `${names(left)} cannot be ended`);
  await unmountPipefs(host, memory);
  await stopRquotad(ctx);
  await restoreNumbers(ctx);
  await dropSettings(host, log);
  await startAgain(ctx, again);
  if (late !== undefined) throw new Failure('failed', late);
}

/** Then rpc.statd is the NFS mounts' of this node, which nobody would start again. */
const isNeverStarted = async ({ host, memory }: Ctx): Promise<boolean> =>
  (await memory.params()) === undefined && (await ownThreads(host)) === 0;

/** Of what is left, for a mount of an earlier start that is still in the kernel. */
const lateShare = 0.3;

/** Of what is left, for finding out who is in the way: every process is looked at. */
const lookShare = 0.7;

/** Unmounts the state directory. Returns the units that were stopped for it and serve others. */
async function release({ host, log }: Ctx, bound: Mount): Promise<readonly string[]> {
  // Nothing is written to disk below a pipefs, and rpc.gssd may keep it for the NFS mounts of this node.
  for (const { target } of pipefsOn(await mounts(host), bound))
    await host.run(['umount', '-l', '--', target]);

  const isGone = async () => mountOn(await mounts(host), bound.target)?.id !== bound.id;
  const holders = (search: Search) =>
    usersInTheWay(host, bound, search, host.sys.now() + host.left() * lookShare);
  const ofServer = async () => {
    const users = await holders('thorough');
    const are = await Promise.all(
      users.map((user) => isDaemon(host, [...stateHolders, ...bystanders], user)),
    );
    return users.filter((_user, index) => are[index]);
  };
  const stopped = await stopUnitsOf(host, await ofServer());
  await endProcesses(host, ofServer);
  let said = '';
  const unmounted = await host.until(async () => {
    const { code, stderr, hung } = await host.tryRun(['umount', '--', bound.target]);
    if (code !== 0) said = hung ?? stderr.trim();
    return isGone();
  }, host.left() * 0.7);
  if (unmounted) return stopped;

  const users = (await holders('suspects')).map(({ pid, name, how }) => `${name} (pid ${pid}, ${how})`);
  log.error(`umount ${bound.target}: ${said}`);
  throw new Failure(
    'failed',
    users.length > 0
      ? `${bound.target} is kept busy by ${users.join(', ')}`
      : `${bound.target} cannot be unmounted: ${said}`,
  );
}

const serveOthers = new Set(bystanders.map(({ process }) => process));

/** A daemon that systemd watches is stopped by it, which would start it again otherwise. Returns those that serve others, too. */
async function stopUnitsOf(host: Host, users: readonly MountUser[]): Promise<readonly string[]> {
  const found = await Promise.all(
    users.map(async (user) => ({ ...user, unit: (await serviceOf(host, user.pid)) ?? '' })),
  );
  const units = found.filter(({ unit }) => holderUnits.has(unit));
  await stopBySystemd(host, [...new Set(units.map(({ unit }) => unit))], host.left() * 0.3);
  return [...new Set(units.filter(({ name }) => serveOthers.has(name)).map(({ unit }) => unit))];
}
