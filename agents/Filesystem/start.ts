import { Failure } from '../../lib/contract/outcome.ts';
import { isThere } from '../../lib/host/local-files.ts';
import { nodeAt } from '../../lib/host/storage/block-devices.ts';
import { isWithin, mountOn, mounts } from '../../lib/host/storage/mounts.ts';
import { checkFilesystem } from './check-filesystem.ts';
import { requireSafeClone } from './clone.ts';
import { requireSound } from './condition.ts';
import { areKin } from './fstypes.ts';
import { noteMade } from './made.ts';
import { remember } from './mark.ts';
import { mount, placesOf } from './mount.ts';
import type { Ctx } from './params.ts';
import { look, sentence } from './seen.ts';
import type { Seen } from './situation.ts';
import { requireType } from './support.ts';
import { outliveSystemd, unmountBeforeTheNetworkGoes } from './systemd.ts';
import { devicePath, type Wanted } from './wanted.ts';

/** udev begins with a new device within this. */
const udevIdleMs = 1000;

/** Mounts, and looks whether it is mounted. Never over something else. */
export async function start(ctx: Ctx): Promise<void> {
  const { params, log } = ctx;
  const before = await look(ctx);
  if (await isThereAlready(ctx, before)) {
    log.info(`${params.device} is already mounted on ${before.wanted.directory}`);
    return;
  }
  const { directory, source } = before.wanted;
  const places = await placesOf(ctx, before);
  requireNothingBelow(before);
  requireSafeClone(ctx);
  await requireType(ctx);
  await unmountBeforeTheNetworkGoes(ctx);
  const device = await findDevice(ctx, before);
  await checkFilesystem(ctx, source, device);
  await mount(ctx, device, before, places);
  await rememberAsMounted(ctx, before.wanted);
  await outliveSystemd(ctx, directory);
  const after = await look(ctx);
  if (after.is !== 'ours') throw new Failure('failed', `mount ended well, yet ${sentence(ctx, after)}`);
  await requireSound(ctx, after, after.mount);
}

async function isThereAlready(ctx: Ctx, seen: Seen): Promise<boolean> {
  switch (seen.is) {
    case 'absent':
      return false;
    case 'ours':
      await requireSound(ctx, seen, seen.mount);
      return true;
    case 'foreign':
    case 'undecided':
    case 'covered':
    case 'aside':
    case 'moved':
      throw new Failure('failed', sentence(ctx, seen));
  }
}

/** Mounting would hide it. */
function requireNothingBelow({ table, wanted: { directory } }: Seen): void {
  const nested = table.find(({ target }) => target !== directory && isWithin(target, directory));
  if (nested)
    throw new Failure(
      'misconfigured',
      `${nested.source} is mounted on ${nested.target}, below ${directory}: mounting there would hide it`,
    );
}

/** A helper may write the name of a server or of a program in its own way, and the type: what it made of it here is ours. */
async function rememberAsMounted(ctx: Ctx, { source, directory }: Wanted): Promise<void> {
  const mount = mountOn(await mounts(ctx.host), directory);
  if (source.is !== 'named' || !mount) return;
  try {
    if (source.family === undefined || areKin(source.family, mount.type))
      await remember(ctx, { is: 'named', type: mount.type, name: mount.source });
    await noteMade(ctx, mount, 'insist');
  } catch (error) {
    await ctx.host.tryRun(['umount', '--', directory]); // a stop would take it for somebody else's
    throw error;
  }
}

/** What is given to mount: the device node once it is there, or the words as configured. */
async function findDevice({ params, host }: Ctx, { wanted: { source }, table }: Seen): Promise<string> {
  if (source.is !== 'disk') return params.device.trim();
  let path: string | undefined;
  let kind: string | undefined;
  const began = host.sys.now();
  const patience = host.left() / 2;
  await host.until(async () => {
    path = await devicePath({ host }, source.device, 'search');
    kind = path === undefined ? undefined : (await nodeAt(host, path, table))?.kind;
    if (kind !== undefined) return true;
    // udev has this file for as long as it has devices to name
    const udevIsBusy = await isThere(host, '/run/udev/queue');
    return !udevIsBusy && host.sys.now() - began >= udevIdleMs;
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
