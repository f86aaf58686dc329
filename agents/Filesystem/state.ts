import type { Host } from '../../lib/host/host.ts';
import {
  deviceUnder,
  linkedDevice,
  nodeAt,
  searchDevice,
  shareBtrfs,
} from '../../lib/host/storage/block-devices.ts';
import { canonicalPath, type Mount, mounts, mountsOn } from '../../lib/host/storage/mounts.ts';
import { readForce } from './force.ts';
import { isServed, isVirtual } from './fstypes.ts';
import { asideOf } from './move.ts';
import type { Ctx } from './params.ts';
import { readSource, type Source } from './source.ts';

/** What the mount table says about this resource. */
export type State = {
  readonly table: readonly Mount[];
  /** Without links. */
  readonly directory: string;
  readonly source: Source;
  /** `major:minor` of the configured device; `undefined` for one that has none, or is not there now. */
  readonly device: string | undefined;
} & (
  | { readonly is: 'absent' }
  | { readonly is: 'ours'; readonly mount: Mount }
  /** Something else is mounted there, and ours is not below it. */
  | { readonly is: 'foreign'; readonly mount: Mount }
  /** Ours is mounted, but something else was mounted over it. */
  | { readonly is: 'covered'; readonly mount: Mount; readonly by: Mount }
  /** A stop moved ours beside the directory and did not end. */
  | { readonly is: 'aside'; readonly mount: Mount }
);

/**
 * Looks at the directory. A label that no udev link names is searched for on all devices, which takes a command; a recurring
 * monitor does without: `links`.
 */
export async function look(ctx: Ctx, labels: 'search' | 'links' = 'search'): Promise<State> {
  const { params, host, memory } = ctx;
  const table = await mounts(host);
  const source = readSource(params);
  const device = await wantedDevice(host, source, table, labels);
  const at = async (directory: string): Promise<State> => {
    const common = { table, directory, source, device };
    if (directory === '/') return { ...common, is: 'absent' };
    const layers = mountsOn(table, directory);
    const top = layers.at(-1);
    if (!top) return { ...common, is: 'absent' };
    if (await isOurs(host, params.fstype, source, device, top, table))
      return { ...common, is: 'ours', mount: top };
    for (const layer of layers.slice(0, -1))
      if (device !== undefined && (await isOurs(host, params.fstype, source, device, layer, table)))
        return { ...common, is: 'covered', mount: layer, by: top };
    return { ...common, is: 'foreign', mount: top };
  };
  // What has no device can only be told from another's by where it is: there it is ours if we may have put it there.
  const mayBeAside = device !== undefined || readForce(params.force_unmount).move;
  const atOrBeside = async (directory: string): Promise<State> => {
    const here = await at(directory);
    if (here.is === 'ours' || here.is === 'covered' || directory === '/' || !mayBeAside) return here;
    const beside = await at(asideOf(directory));
    return beside.is === 'ours'
      ? { ...beside, directory, is: 'aside' }
      : beside.is === 'covered'
        ? beside
        : here;
  };
  const here = await atOrBeside(await canonicalPath(host, params.directory.trim(), table));
  if (here.is !== 'absent') return here;
  // The link that the directory goes through may lead elsewhere since the start.
  const before = await memory.fact<string>('directory');
  if (before === undefined || before === here.directory || device === undefined) return here;
  const there = await atOrBeside(before);
  return there.is === 'absent' || there.is === 'foreign' ? here : there;
}

async function wantedDevice(
  host: Host,
  source: Source,
  table: readonly Mount[],
  labels: 'search' | 'links',
): Promise<string | undefined> {
  const path = await devicePath(host, source, labels);
  return path === undefined ? undefined : (await nodeAt(host, path, table))?.number;
}

/** Where the configured device is now, if it has a path at all. */
export async function devicePath(
  host: Host,
  source: Source,
  labels: 'search' | 'links',
): Promise<string | undefined> {
  switch (source.kind) {
    case 'block':
      return source.path;
    case 'tag': {
      const linked = await linkedDevice(host, source.tag, source.value);
      return linked ?? (labels === 'search' ? searchDevice(host, source.tag, source.value) : undefined);
    }
    case 'other':
      return undefined;
  }
}

async function isOurs(
  host: Host,
  fstype = '',
  source: Source,
  wanted: string | undefined,
  mount: Mount,
  table: readonly Mount[],
): Promise<boolean> {
  // Servers and names are spelt in too many ways to compare; but a disk there is none of them.
  if (source.kind === 'other')
    return !((isServed(fstype) || isVirtual(fstype)) && fstype !== 'none' && !mount.device.startsWith('0:'));
  const there = await deviceUnder(host, mount, table);
  if (wanted !== undefined)
    return (
      wanted === there || (there !== undefined && mount.type === 'btrfs' && shareBtrfs(host, wanted, there))
    );
  // The configured node is gone: a failed disk, a link of udev. What is mounted there counts as ours, or a stop would leave it
  // mounted and tell the cluster that it is free. Not when both are the kernel's own names and differ.
  if (
    source.kind === 'block' &&
    mount.source !== source.path &&
    isKernelName(source.path) &&
    isKernelName(mount.source)
  )
    return false;
  return there !== undefined || mount.source.startsWith('/dev/') || isDirectorySource(source);
}

const isKernelName = (path: string): boolean =>
  /^\/dev\/(drbd\d+|[shv]d[a-z]+\d*|xvd[a-z]+\d*|loop\d+|nvme\d+n\d+(p\d+)?|dm-\d+|md\d+(p\d+)?|sr\d+)$/.test(
    path,
  );
const isDirectorySource = (source: Source): boolean =>
  source.kind === 'block' && !source.path.startsWith('/dev/');
