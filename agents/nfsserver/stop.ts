import { endSender } from '../../lib/host/lock-sender.ts';
import { type Mount, mountOn, mounts } from '../../lib/host/mounts.ts';
import { stateHolders, stateRoot } from '../../lib/host/nfs-state.ts';
import { processesUsing } from '../../lib/host/processes.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import { endProcesses, stopServer } from './daemons.ts';
import { binding, pipefsOn } from './infodir.ts';
import type { Ctx } from './params.ts';
import { removeSettings } from './settings.ts';

/** Kernel first, then the helpers, then the state directory, so that the filesystem below it can go to the other node. */
export async function stop(ctx: Ctx): Promise<void> {
  await endSender(ctx.host, ctx.memory);
  await stopServer(ctx);
  const found = await binding(ctx);
  if (found.is === 'ours') await release(ctx, found.mount);
  else if (found.is === 'foreign' && ctx.params.nfs_shared_infodir)
    ctx.log.warn(`${found.mount.source} on ${stateRoot} is not nfs_shared_infodir and stays mounted`);
  await removeSettings(ctx);
}

async function release({ host, log }: Ctx, bound: Mount): Promise<void> {
  // Nothing is written to disk below a pipefs, and rpc.gssd may keep it for the NFS mounts of this node.
  for (const { target } of pipefsOn(await mounts(host), bound))
    await host.run(['umount', '-l', '--', target]);

  const isGone = async () => mountOn(await mounts(host), bound.target)?.id !== bound.id;
  const holders = () => processesUsing(host, bound);
  await endProcesses(host, async () => (await holders()).filter(({ name }) => stateHolders.has(name)));
  let said = '';
  const unmounted = await host.until(async () => {
    const { code, stderr, hung } = await host.tryRun(['umount', '--', bound.target]);
    if (code !== 0) said = hung ?? stderr.trim();
    return isGone();
  }, host.left() * 0.7);
  if (unmounted) return;

  const users = (await holders()).map(({ pid, name, how }) => `${name} (pid ${pid}, ${how})`);
  log.error(`umount ${bound.target}: ${said}`);
  throw new Failure(
    'failed',
    users.length > 0
      ? `${bound.target} is kept busy by ${users.join(', ')}`
      : `${bound.target} cannot be unmounted: ${said}`,
  );
}
