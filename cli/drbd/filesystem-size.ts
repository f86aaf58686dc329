import { basename } from 'node:path';
import { commandFailure, commandLine, type Host } from '../../lib/host/host.ts';
import { mounts, mountsOn } from '../../lib/host/storage/mounts.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Volume } from '../configuration/pair.ts';
import { CommandError } from '../exit.ts';

/** Whether it is the volume itself that is seen on its directory. A filesystem grows where it is mounted. */
export async function isMountedHere(host: Host, { device, directory }: Volume): Promise<boolean> {
  const number = (await host.sys.read(`/sys/class/block/${basename(device)}/dev`)).trim();
  const seen = mountsOn(await mounts(host), directory).at(-1);
  // btrfs has no device's number
  return seen !== undefined && (seen.device === number || (seen.type === 'btrfs' && seen.source === device));
}

/** As large as its device; changes nothing where it is that already. */
export const growFilesystem = ({ type, directory, device }: Volume): Argv =>
  type === 'xfs'
    ? ['xfs_growfs', directory]
    : type === 'btrfs'
      ? ['btrfs', 'filesystem', 'resize', 'max', directory]
      : ['resize2fs', device];

/**
 * Bytes that a mounted filesystem takes of its device.
 *
 *     data     =                       bsize=4096   blocks=65536, imaxpct=25        xfs_info
 *     Block count:              65536                                               dumpe2fs -h
 *     Block size:               4096
 *     	devid    1 size 268435456 used 67108864 path /dev/drbd1                      btrfs filesystem show --raw
 */
export async function filesystemSize(host: Host, { type, directory, device }: Volume): Promise<number> {
  const argv: Argv =
    type === 'xfs'
      ? ['xfs_info', directory]
      : type === 'btrfs'
        ? ['btrfs', 'filesystem', 'show', '--raw', directory]
        : ['dumpe2fs', '-h', device];
  const answer = await host.tryRun(argv, { timeoutMs: 30_000 });
  if (answer.code !== 0) throw commandFailure(argv, answer);
  const number = (pattern: RegExp): number => Number(pattern.exec(answer.stdout)?.[1]);
  const bytes =
    type === 'xfs'
      ? number(/^data\s+=.*\bbsize=(\d+)/m) * number(/^data\s+=.*\bblocks=(\d+)/m)
      : type === 'btrfs'
        ? number(/\bdevid\s+\d+\s+size\s+(\d+)/)
        : number(/^Block size:\s+(\d+)/m) * number(/^Block count:\s+(\d+)/m);
  if (Number.isNaN(bytes))
    throw new CommandError('unknown', `${commandLine(argv)} does not say how large the filesystem is`);
  return bytes;
}

/** What a filesystem leaves at the end of its device, where another group of blocks would be too small. */
export const leftAtEnd = 16 * 1024 * 1024;
