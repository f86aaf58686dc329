import { serialOf } from '../../lib/host/storage/block-devices.ts';
import { isSameMount, type Mount } from '../../lib/host/storage/mounts.ts';
import { askedFor } from './mark.ts';
import type { Ctx } from './params.ts';

// The very mount that a start made, or that a monitor found to be ours. It stays ours until it is stopped, whatever becomes of the
// names by which it was found: of its source, or of the directories above it. made-before.ts recognises it.

/** Ids and anonymous numbers are used again, and so are names: all of it together is one mount. */
export type Made = Pick<Mount, 'id' | 'device' | 'type' | 'source' | 'target'> & {
  /** What was asked for then. */
  readonly asked: string;
  readonly serial?: string;
  /** The directory that it hides, by filesystem and inode, where a start has seen it. */
  readonly under?: string;
};

/** Notes it: a steady monitor finds what it would write. `insist` where nothing else would tell whose it is. */
export async function noteMade(ctx: Ctx, mount: Mount, how?: 'insist'): Promise<void> {
  const { memory, params, host } = ctx;
  const { id, device, type, source, target } = mount;
  const asked = askedFor(params);
  const known = await memory.fact<Made>('mount');
  if (known?.asked === asked && isSame(known, mount) && known.target === target) return;
  const [under, serial] = [await memory.fact<string>('under'), await serialOf(host, device)];
  const made: Made = {
    ...{ asked, id, device, type, source, target },
    ...(serial && { serial }),
    ...(under && { under }),
  };
  await (how === 'insist' ? memory.note('mount', made) : memory.hint('mount', made));
}

export const isSame = (made: Made, mount: Mount): boolean =>
  isSameMount(made, mount) && made.source === mount.source;
