import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, type Host, hostName } from '../../lib/host/host.ts';
import { isThere } from '../../lib/host/local-files.ts';
import { kernelName } from '../../lib/host/storage/block-devices.ts';
import { pathFacts } from '../../lib/host/storage/managed-files.ts';
import type { Mount } from '../../lib/host/storage/mounts.ts';
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

/** By its name in the mount table, or by the kernel's where that one leads nowhere any more. */
async function diskOf(host: Host, { source, device }: Mount): Promise<string | undefined> {
  if (!source.startsWith('/dev/')) return undefined;
  if (device.startsWith('0:') || (await isThere(host, source))) return source;
  const name = `/dev/${await kernelName(host, device)}`;
  return (await isThere(host, name)) ? name : source;
}

type StatusFile = { readonly path: string; readonly content: string; readonly direct: boolean };

/** The same name as the stock agent's, so that a change of agents leaves no second file behind. */
export async function statusFile({ params, host, request }: Ctx, directory: string): Promise<string> {
  const node = await hostName(host);
  const clone = request.meta('clone');
  const name = [request.instance, ...(clone ? [clone] : []), node].join('_');
  return `${directory}/${params.statusfile_prefix}${asFileName(name)}`;
}

export async function writeStatusFile(ctx: Ctx, directory: string, mount: Mount): Promise<StatusFile> {
  const { host, request } = ctx;
  const path = await statusFile(ctx, directory);
  const direct = !mount.device.startsWith('0:');
  const content = `${request.instance}\n`;
  // nofollow: whoever may write to the filesystem must not choose a file elsewhere for root to overwrite.
  const argv: Argv = [
    'dd',
    `of=${path}`,
    `bs=${block}`,
    'count=1',
    'iflag=fullblock',
    `oflag=sync,nofollow${direct ? ',direct' : ''}`,
    'conv=fsync',
    'status=none',
  ];
  const write = () => host.tryRun(argv, { input: content.padEnd(block, '\0') });
  let output = await write();
  if (output.code !== 0 && /No such file or directory/.test(output.stderr)) {
    await host.tryRun(['mkdir', '-p', '-m', '0755', '--', path.slice(0, path.lastIndexOf('/'))]);
    output = await write();
  }
  if (output.code !== 0) throw storageFailure(`Failed to write status file ${path}`, argv, output);
  return { path, content, direct };
}

export async function readBack({ host }: Ctx, { path, content, direct }: StatusFile): Promise<void> {
  const flags = `iflag=nofollow${direct ? ',direct' : ''}`;
  const argv: Argv = ['dd', `if=${path}`, flags, `bs=${block}`, 'count=1', 'status=none'];
  const output = await host.tryRun(argv);
  if (output.code !== 0) throw storageFailure(`Failed to read status file ${path}`, argv, output);
  if (!output.stdout.startsWith(content))
    throw new Failure('failed', `status file ${path} does not read back as it was written`);
}

/** The path before everything else: Pacemaker keeps only the beginning of a reason. */
function storageFailure(what: string, argv: Argv, output: Output): Failure {
  if (output.hung) return new Failure('failed', `${what}: no answer from the storage (${output.hung})`);
  const { outcome, message } = commandFailure(argv, output);
  return new Failure(outcome, `${what}: ${message.replace(`${argv.join(' ')}: `, '')}`);
}
