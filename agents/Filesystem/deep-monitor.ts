import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, commandLine, type Host, hostName } from '../../lib/host/host.ts';
import { isThere } from '../../lib/host/local-files.ts';
import { beneath } from '../../lib/host/storage/beneath.ts';
import { kernelName, numberOf } from '../../lib/host/storage/block-devices.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import { type Mount, mounts } from '../../lib/host/storage/mounts.ts';
import { asFileName } from '../../lib/host/sys/file-names.ts';
import type { Argv, Output } from '../../lib/host/sys/sys.ts';
import type { Ctx } from './params.ts';

const block = 4096;

/**
 * Past the page cache, from the disk itself. What has no disk is asked for its root directory: a filesystem whose server or
 * daemon is gone answers with an error (F8).
 */
export async function readDevice({ host }: Ctx, mount: Mount): Promise<void> {
  const { target } = mount;
  const source = await diskOf(host, mount);
  if (source === undefined) {
    if (!(await pathFacts(host, target))) throw new Failure('failed', `there is no ${target} any more`);
    return;
  }
  const argv: Argv = [
    'dd',
    `if=${source}`,
    'of=/dev/null',
    'iflag=direct',
    `bs=${block}`,
    'count=1',
    'status=none',
  ];
  const output = await host.tryRun(argv);
  if (output.code !== 0) throw storageFailure(`reading ${source} under ${target}`, argv, output);
}

/** By its name in the mount table, or by the kernel's where that one leads nowhere any more, or to another disk. */
async function diskOf(host: Host, { source, device }: Mount): Promise<string | undefined> {
  if (!source.startsWith('/dev/')) return undefined;
  if (device.startsWith('0:') || (await numberOf(host, source, await mounts(host))) === device) return source;
  const name = `/dev/${await kernelName(host, device)}`;
  return (await isThere(host, name)) ? name : source;
}

/** Within the filesystem. The same name as the stock agent's, so that a change of agents leaves no second file behind. */
export async function statusFile({ params, host, request }: Ctx): Promise<string> {
  const node = await hostName(host);
  const clone = request.meta('clone');
  const name = [request.instance, ...(clone ? [clone] : []), node].join('_');
  return `${params.statusfile_prefix}${asFileName(name)}`;
}

/** Writes the status file through to the disk, and reads it back from there. */
export async function tryStatusFile(ctx: Ctx, directory: string, mount: Mount): Promise<void> {
  const { host, request } = ctx;
  const path = await statusFile(ctx);
  const content = `${request.instance}\n`;
  const direct = !mount.device.startsWith('0:');
  const told = await beneath(host, directory, 'writeAndRead', { path, content, block, direct }).catch(
    ({ message }: Error) => {
      throw new Failure('failed', `Failed to write status file ${directory}/${path}: ${message}`);
    },
  );
  const { failed, argv, stdout } = told;
  if (failed !== undefined && argv !== undefined)
    throw storageFailure(`Failed to ${failed} status file ${directory}/${path}`, argv, told);
  if (!stdout.startsWith(content))
    throw new Failure('failed', `status file ${directory}/${path} does not read back as it was written`);
}

/** The path before everything else: Pacemaker keeps only the beginning of a reason. */
function storageFailure(what: string, argv: Argv, output: Output): Failure {
  if (output.hung) return new Failure('failed', `${what}: no answer from the storage (${output.hung})`);
  const { outcome, message } = commandFailure(argv, output);
  return new Failure(outcome, `${what}: ${message.replace(`${commandLine(argv)}: `, '')}`);
}
