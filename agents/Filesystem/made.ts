import { isSameMount, type Mount } from '../../lib/host/storage/mounts.ts';
import { askedFor, type Made } from './mark.ts';
import type { Ctx } from './params.ts';

// The very mount that a start made, or that a monitor found to be ours. It stays ours until it is stopped, whatever becomes of the
// names by which it was found: of its source, or of the directories above it. made-before.ts recognises it.

/** Notes it: a steady monitor finds what it would write. `insist` where nothing else would tell whose it is. */
export async function noteMade(ctx: Ctx, mount: Mount, how?: 'insist'): Promise<void> {
  const { memory, params } = ctx;
  const asked = askedFor(params);
  const known = await memory.fact<Made>('mount');
  if (known?.asked === asked && known.parent === mount.parent && isSameMount(known, mount)) return;
  const made = await (await import('./made-before.ts')).describeMade(ctx, mount, asked, known);
  await (how === 'insist' ? memory.note('mount', made) : memory.hint('mount', made));
}
