import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { numberOf } from '../../lib/host/storage/block-devices.ts';
import type { Tag } from '../../lib/host/storage/labels.ts';
import { type Mount, resolvePath, trustedPart } from '../../lib/host/storage/mounts.ts';
import { familyOf, isServed, isVirtual } from './fstypes.ts';
import type { Ctx } from './params.ts';

/** What the parameters ask for. */
export type Wanted = {
  /** The mount point without links. */
  readonly directory: string;
  /** The link of others that it lies behind: a start does not follow it, and a tmpfs there may be anybody's. */
  readonly stray?: string;
  readonly source: Source;
  /** `major:minor` of a disk; `undefined` for what is none, and for one whose name leads nowhere now. */
  readonly number: string | undefined;
};

/** Whether a mount is what is wanted; `undecided` with what is missing to decide it. */
export type Verdict = 'ours' | 'foreign' | { readonly undecided: string };

/** A mount that may be what is wanted, with the table that it is in. */
export type Candidate<Is extends Source['is']> = {
  readonly ctx: Ctx;
  readonly wanted: Wanted & { readonly source: { readonly is: Is } };
  readonly mount: Mount;
  readonly table: readonly Mount[];
};

/** What the parameter `device` means, by its kind: `ours.ts` says by what each is recognised. */
export type Source =
  /** A block device by its path or by a label; a path elsewhere may turn out to be an image file or a directory. */
  | { readonly is: 'disk'; readonly device: { readonly path: string } | Label }
  /** A file that mount makes a loop device of. */
  | { readonly is: 'image'; readonly path: string }
  | { readonly is: 'bind'; readonly path: string }
  /** tmpfs, ramfs: the name means nothing. */
  | { readonly is: 'memory'; readonly type: string }
  /** A server's path, a FUSE filesystem's or a virtual one's name; without family where fstype is not set. */
  | { readonly is: 'named'; readonly name: string; readonly family: string | undefined };

export type Label = { readonly tag: Tag; readonly value: string };

type Described = { readonly device: string; readonly fstype: string | undefined; readonly options: string };

/** The kind of a source, from the text alone. */
export function sourceOf({ device, fstype = '', options }: Described): Source {
  const text = device.trim();
  const named = { is: 'named', name: text, family: fstype ? familyOf(fstype) : undefined } as const;
  if (fstype === 'tmpfs' || fstype === 'ramfs') return { is: 'memory', type: fstype };
  if (fstype === 'none' || hasOption(options, 'bind', 'rbind')) return { is: 'bind', path: text };
  if (hasOption(options, 'loop')) return { is: 'image', path: text };
  if (isVirtual(fstype) || (isServed(fstype) && !text.startsWith('/dev/'))) return named;
  const label = labelOf(text);
  if (label) return { is: 'disk', device: label };
  if (isRemoteName(text) || (fstype && !text.startsWith('/'))) return named;
  return { is: 'disk', device: { path: text } };
}

/** Whether one of the options is set, with or without a value: exactly, `errors=remount-ro` is no `ro`. */
export const hasOption = (options: string, ...names: readonly string[]): boolean =>
  options.split(',').some((option) => names.includes(option.split('=', 1)[0]?.trim() ?? ''));

/** The value of the last option of this name. */
export const optionValue = (options: string, name: string): string | undefined =>
  options
    .split(',')
    .findLast((option) => option.trim().startsWith(`${name}=`))
    ?.trim()
    .slice(name.length + 1);

/** Not a bind mount of one of its directories, which shows others than were asked for. */
export const isWhole = ({ root }: Mount, options: string): boolean =>
  root === '/' || optionValue(options, 'X-mount.subdir') !== undefined;

/** How a label is found: on all disks, which takes a command, or by udev's links only. */
export type Labels = 'search' | 'links';

/**
 * What is asked for on this machine now. Throws `Failure` when the path of the mount point cannot be resolved and no start has
 * noted it.
 */
export async function wanted(ctx: Ctx, table: readonly Mount[], labels: Labels): Promise<Wanted> {
  const { params, host } = ctx;
  const source = sourceOf(params);
  const { path: resolved, trouble, stray } = await placeOf(host, params.directory.trim(), table);
  const before = trouble || stray ? await (await import('./at-start.ts')).atStart(ctx) : undefined;
  if (trouble && !before?.isAsked) throw new Failure('failed', trouble);
  const directory = before?.isAsked ? before.directory : resolved;
  const path = source.is === 'disk' ? await devicePath(ctx, source.device, labels) : undefined;
  const number = path === undefined ? undefined : await numberOf(host, path, table);
  return { directory, source, number, ...(stray && { stray }) };
}

/** Where the directory is, without links; behind one of others' it is still looked at, for a stock agent's start followed that. */
async function placeOf(
  host: Host,
  directory: string,
  table: readonly Mount[],
): Promise<{ readonly path: string; readonly trouble?: string; readonly stray?: string }> {
  const { known, rest, trouble } = await trustedPart(host, directory, table);
  if (rest.length === 0 && trouble === undefined) return { path: known };
  const { leadsTo } = await import('../../lib/host/storage/leads-to.ts');
  const led = await leadsTo(host, directory, table, resolveMs);
  return led.stray === undefined ? led : { ...(await resolvePath(host, directory, table)), stray: led.stray };
}

const resolveMs = 5000;

/** Where a disk is now, if it has a path at all. */
export async function devicePath(
  { host }: Pick<Ctx, 'host'>,
  device: { readonly path: string } | Label,
  labels: Labels,
): Promise<string | undefined> {
  if ('path' in device) return device.path;
  const { linkedDevice, searchDevice } = await import('../../lib/host/storage/labels.ts');
  const linked = await linkedDevice(host, device.tag, device.value);
  return linked ?? (labels === 'search' ? searchDevice(host, device.tag, device.value) : undefined);
}

/** `server:/path`, `user@server:path`, `//server/share`, `[v6::address]:/path`. */
const isRemoteName = (text: string): boolean => text.startsWith('//') || /^[^/]+:/.test(text);

const spellings: readonly (readonly [RegExp, Tag])[] = [
  [/^(?:-U\s*|--uuid[= ]\s*)(\S.*)$/, 'UUID'],
  [/^(?:-L\s*|--label[= ]\s*)(\S.*)$/, 'LABEL'],
  [/^UUID=(.+)$/, 'UUID'],
  [/^LABEL=(.+)$/, 'LABEL'],
  [/^PARTUUID=(.+)$/, 'PARTUUID'],
  [/^PARTLABEL=(.+)$/, 'PARTLABEL'],
];

function labelOf(text: string): Label | undefined {
  for (const [pattern, tag] of spellings) {
    const value = pattern
      .exec(text)?.[1]
      ?.replace(/^"(.*)"$/, '$1')
      .trim();
    if (value) return { tag, value };
  }
  return undefined;
}
