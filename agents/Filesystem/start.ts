import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, firstLine } from '../../lib/host/host.ts';
import { nodeAt } from '../../lib/host/storage/block-devices.ts';
import { ensureDirectory } from '../../lib/host/storage/managed-files.ts';
import { isWithin, mountOn, mounts } from '../../lib/host/storage/mounts.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { checkFilesystem } from './check-filesystem.ts';
import { refuseUnsafeClone } from './clone.ts';
import { asideReason, coveredReason, requireSound } from './condition.ts';
import type { Ctx } from './params.ts';
import { devicePath, look, type State } from './state.ts';
import { requireType } from './support.ts';
import { outliveSystemd, unmountBeforeTheNetworkGoes } from './systemd.ts';

/** Mounts, and looks whether it is mounted. Never over something else. */
export async function start(ctx: Ctx): Promise<void> {
  const { params, host, log, memory } = ctx;
  const before = await look(ctx);
  if (await isThereAlready(ctx, before)) {
    log.info(`${params.device} is already mounted on ${before.directory}`);
    return;
  }
  refuseNested(before);
  refuseUnsafeClone(ctx);
  await requireType(ctx);
  await unmountBeforeTheNetworkGoes(ctx);
  const device = await findDevice(ctx, before);
  await checkFilesystem(ctx, before.source, device);
  await ensureDirectory(host, before.directory);
  log.info(`mounting ${device} on ${before.directory}`);
  await memory.note('directory', before.directory);
  await mount(ctx, device, before.directory);
  await outliveSystemd(ctx, before.directory);
  const after = await look(ctx);
  if (after.is !== 'ours')
    throw new Failure(
      'failed',
      `${device} was mounted on ${after.directory}, but it is not there now (${after.is})`,
    );
  await requireSound(ctx, after, after.mount);
}

async function isThereAlready(ctx: Ctx, state: State): Promise<boolean> {
  switch (state.is) {
    case 'absent':
      return false;
    case 'ours':
      await requireSound(ctx, state, state.mount);
      return true;
    case 'covered':
      throw new Failure('failed', coveredReason(state));
    case 'aside':
      throw new Failure('failed', asideReason(state));
    case 'foreign':
      throw new Failure(
        'failed',
        `another device (${state.mount.source}) is already mounted on ${state.directory}: will not mount ${ctx.params.device} over it`,
      );
  }
}

/** Mounting would hide them. */
function refuseNested({ table, directory }: State): void {
  const nested = table.find(({ target }) => target !== directory && isWithin(target, directory));
  if (nested)
    throw new Failure(
      'misconfigured',
      `${nested.source} is mounted on ${nested.target}, below ${directory}: mounting there would hide it`,
    );
}

/** What is given to mount: the device node once it is there, or the words as configured. */
async function findDevice({ params, host }: Ctx, { source, table }: State): Promise<string> {
  if (source.kind === 'other') return source.name;
  let path: string | undefined;
  let kind: string | undefined;
  const began = host.sys.now();
  const patience = host.left() / 2;
  await host.until(async () => {
    path = await devicePath(host, source, 'search');
    kind = path === undefined ? undefined : (await nodeAt(host, path, table))?.kind;
    if (kind !== undefined) return true;
    // udev has this file for as long as it has devices to name
    const udevIsBusy = await host.sys.facts('/run/udev/queue').then(
      () => true,
      () => false,
    );
    return !udevIsBusy && host.sys.now() - began >= 1000;
  }, patience);
  if (path !== undefined && (kind === 'block' || kind === 'directory' || path === '/dev/null')) return path;
  if (kind === 'file')
    throw new Failure(
      'notInstalled',
      `${params.device} is a file, not a block device: add loop to options to mount it`,
    );
  throw new Failure(
    'notInstalled',
    `Couldn't find device ${params.device}: there is no such block device on this node`,
  );
}

/** The mount table, not mount's exit code, says whether it worked: a helper may fail after the work is done. */
async function mount({ params, host, log }: Ctx, device: string, directory: string): Promise<void> {
  const { fstype, options } = params;
  const argv: Argv = [
    'mount',
    ...(fstype && fstype !== 'none' ? ['-t', fstype] : []),
    ...(options ? ['-o', options] : []),
    device,
    directory,
  ];
  const output = await host.tryRun(argv);
  if (output.code === 0) return;
  if (output.hung || !mountOn(await mounts(host), directory)) throw commandFailure(argv, output);
  log.warn(`mount ended with ${output.code} although it mounted: ${firstLine(output.stderr)}`);
}
