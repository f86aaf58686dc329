import type { Host } from '../../lib/host/host.ts';
import { listIfThere } from '../../lib/host/local-files.ts';
import { kernelName } from '../../lib/host/storage/block-devices.ts';
import { decodeOctal, type Mount, tidyPath } from '../../lib/host/storage/mounts.ts';
import { type Mark, remember } from './mark.ts';
import type { Ctx } from './params.ts';
import { optionValue, type Verdict } from './wanted.ts';

/** Whether two devices are members of one btrfs: it mounts under the name of any of them. */
export async function shareBtrfs(host: Host, ...numbers: readonly string[]): Promise<boolean> {
  const names = await Promise.all(numbers.map((number) => kernelName(host, number)));
  for (const filesystem of await listIfThere(host, '/sys/fs/btrfs')) {
    const members = await listIfThere(host, `/sys/fs/btrfs/${filesystem}/devices`);
    if (names.every((name) => name !== undefined && members.includes(name))) return true;
  }
  return false;
}

/** The subvolume that a mount of btrfs shows: its number, and its path from the top of the filesystem. */
export function subvolumeOf({ superOptions }: Mount): { readonly id: string; readonly path: string } {
  // …,subvolid=256,subvol=/a: the path comes last, commas in it are not escaped
  const [, id = '', path = ''] = /subvolid=(\d+),subvol=(.*)/.exec(superOptions.join(',')) ?? [];
  return { id, path: decodeOctal(path) };
}

/** The number of the top of every btrfs, which `subvolid=0` means, too. */
const top = '5';
const askMs = 5000;

/**
 * Whether a mount shows the subvolume that was asked for, as a whole. `before` is the number of the one that was ours: it stays
 * when the subvolume gets another name, and when another becomes the default.
 */
export async function judgeSubvolume(
  ctx: Ctx,
  mount: Mount,
  mark: Mark & { readonly is: 'disk' },
  before: string | undefined,
): Promise<Verdict> {
  const verdict = await subvolumeVerdict(ctx, mount, before);
  const subvolume = verdict === 'ours' ? { subvolume: subvolumeOf(mount).id } : {};
  await remember(ctx, { ...mark, ...subvolume });
  return verdict;
}

async function subvolumeVerdict(
  { params, host }: Ctx,
  mount: Mount,
  before: string | undefined,
): Promise<Verdict> {
  const { id, path } = subvolumeOf(mount);
  if (id === '') return 'ours'; // kernels before 4.2 do not tell
  if (mount.root !== path && mount.root !== `${path}//deleted`) return 'foreign'; // a bind mount of a directory in it
  if (before === id) return 'ours';
  const askedPath = optionValue(params.options, 'subvol');
  const askedId = optionValue(params.options, 'subvolid');
  if (askedPath !== undefined) return tidyPath(askedPath) === path ? 'ours' : 'foreign';
  if (askedId !== undefined) return String(Number(askedId) || top) === id ? 'ours' : 'foreign';
  const output = await host.tryRun(['btrfs', 'subvolume', 'get-default', mount.target], { timeoutMs: askMs });
  const standard = /^ID (\d+)/.exec(output.stdout)?.[1];
  if (output.code === 0 && standard) return standard === id ? 'ours' : 'foreign';
  return id === top
    ? 'ours'
    : { undecided: `subvolume ${path} is mounted, and which is the default is unknown` };
}
