import type { Mount } from '../../lib/host/storage/mounts.ts';
import type { Ctx } from './params.ts';

/**
 * By what a source was recognised when its name still led to it, kept until the next boot: a name may vanish, or lead elsewhere.
 * A disk by its number and what tells it from a later one of this number; an image by the file's path without links; a bind
 * mount by superblock and root; a name by what the mount table made of it.
 */
export type Mark =
  | {
      readonly is: 'disk';
      readonly number: string;
      readonly serial: string | undefined;
      /** Of btrfs, where ours was mounted. */
      readonly subvolume?: string;
    }
  | {
      readonly is: 'image';
      readonly file: string;
      /** Of the loop device, while ours was mounted, and what tells it from a later one. */
      readonly number?: string;
      readonly serial?: string | undefined;
    }
  | { readonly is: 'bind'; readonly device: string; readonly root: string }
  | { readonly is: 'named'; readonly type: string; readonly name: string };

/**
 * The very mount that a start made, or that a monitor found. Ids and anonymous numbers are used again, and so are names: all of it together
 * is one mount.
 */
export type Made = Pick<Mount, 'id' | 'device' | 'root' | 'type' | 'source' | 'target' | 'superOptions'> & {
  /** What was asked for then. */
  readonly asked: string;
  /** The mount that it is on, and what `directory` said then; a version before this did not note these. */
  readonly parent?: number;
  readonly directory?: string;
  readonly serial?: string;
  /** By filesystem and inode: the directory that its mount point lies in, and of a part of a filesystem the one that it shows. */
  readonly above?: string;
  readonly shown?: string;
};

/** With what was asked for then: another device is another disk, another subvolume another tree. */
type Page = { readonly asked: string; readonly mark: Mark };

/** What tells this resource's source from another's. */
export const askedFor = ({ device, options }: Ctx['params']): string =>
  [device.trim(), ...options.split(',').filter((option) => option.includes('subvol'))].join(',');

/** The mark of what is asked for now, if it is one of this kind. */
export async function remembered<Is extends Mark['is']>(
  { params, memory }: Ctx,
  is: Is,
): Promise<(Mark & { readonly is: Is }) | undefined> {
  const page = await memory.fact<Page>('source');
  return page?.asked === askedFor(params) && page.mark.is === is
    ? (page.mark as Mark & { readonly is: Is })
    : undefined;
}

/** Written once: a steady monitor finds what it would write. */
export async function remember({ params, memory }: Ctx, mark: Mark): Promise<void> {
  const page: Page = { asked: askedFor(params), mark };
  const known = await memory.fact<Page>('source');
  if (JSON.stringify(known) !== JSON.stringify(page)) await memory.keep('source', page);
}
