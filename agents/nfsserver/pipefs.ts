import { Failure } from '../../lib/contract/outcome.ts';
import { firstLine, type Host } from '../../lib/host/host.ts';
import type { Memory } from '../../lib/host/memory.ts';
import { nfsConf } from '../../lib/host/nfs/conf.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { beneath } from '../../lib/host/storage/beneath.ts';
import { ensureDirectory } from '../../lib/host/storage/managed-files.ts';
import { isMountedStill, isWithin, type Mount, mountOn, mounts } from '../../lib/host/storage/mounts.ts';
import type { Survey } from './survey.ts';

const standard = `${stateRoot}/rpc_pipefs`;
/** The mount that this resource made. */
const fact = 'pipefs';

/** rpc_pipefs where the daemons look for it: systemd mounts it for them, but not where we hide its mount point or want another. */
export async function mountPipefs(
  host: Host,
  memory: Memory,
  { manager, pipefs: asked }: Survey,
): Promise<void> {
  const isStandard = asked === standard;
  const configured = isStandard ? (await nfsConf(host)).get('general', 'pipefs-directory') : undefined;
  const dir = configured ?? asked;
  if (await hasPipefs(host, dir)) return;
  const isHidden = isWithin(dir, stateRoot) && mountOn(await mounts(host), stateRoot) !== undefined;
  if (isStandard && !isHidden && manager.by === 'systemd') return;
  await mountOnto(host, dir);
  try {
    await memory.note(fact, mountOn(await mounts(host), dir));
  } catch (error) {
    await host.tryRun(['umount', '-l', '--', dir]);
    throw error;
  }
}

/** Below the state directory a link may lie in its place, and the mount would land wherever that leads. */
async function mountOnto(host: Host, dir: string): Promise<void> {
  const mount = ['-t', 'rpc_pipefs', 'sunrpc'] as const;
  if (!isWithin(dir, stateRoot)) {
    await ensureDirectory(host, dir);
    await host.run(['mount', ...mount, dir]);
    return;
  }
  const ask = { path: dir.slice(stateRoot.length + 1), calls: [[...mount, '{}']] };
  const { code, stderr } = await beneath(host, stateRoot, 'mountAt', ask);
  if (code !== 0) throw new Failure('failed', `rpc_pipefs cannot be mounted on ${dir}: ${firstLine(stderr)}`);
}

/** The one that this resource mounted, and no other; its users may go on with it. */
export async function unmountPipefs(host: Host, memory: Memory): Promise<void> {
  const ours = await memory.fact<Mount>(fact);
  if (ours !== undefined && (await isMountedStill(host, ours)))
    await host.run(['umount', '-l', '--', ours.target]);
  await memory.note(fact, undefined);
}

/** The rpc_pipefs mounts that lie on our binding and so keep it busy: no others are ours to unmount. */
export const pipefsOn = (table: readonly Mount[], bound: Mount): readonly Mount[] =>
  table.filter(
    ({ type, parent, target }) =>
      type === 'rpc_pipefs' && parent === bound.id && isWithin(target, bound.target),
  );

/** Whether a visible rpc_pipefs is mounted on exactly this directory. */
async function hasPipefs(host: Host, dir: string): Promise<boolean> {
  const table = await mounts(host);
  const mount = mountOn(table, dir);
  if (mount?.type !== 'rpc_pipefs') return false;
  const above = mountOn(table, stateRoot);
  return above === undefined || !isWithin(dir, stateRoot) || mount.parent === above.id;
}
