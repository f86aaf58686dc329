import type { Resource } from '../../lib/host/drbd/state.ts';
import type { Ctx } from './params.ts';
import { factOf } from './wanted.ts';

/** A minor and the number that the kernel gave to this disk of it; a minor that is removed and made anew has another. */
export type Minor = { readonly minor: number; readonly disk: string };
const factName = (ctx: Ctx) => factOf(ctx, 'minors');

/** As they were seen last, since boot. */
export const rememberedMinors = async (ctx: Ctx): Promise<readonly Minor[]> =>
  (await ctx.memory.fact<readonly Minor[]>(factName(ctx))) ?? [];

export async function rememberMinors(ctx: Ctx, { devices }: Resource): Promise<void> {
  const now = await Promise.all(
    devices.map(async ({ minor }): Promise<Minor> => ({ minor, disk: await diskNumber(ctx, minor) })),
  );
  if (JSON.stringify(now) !== JSON.stringify(await rememberedMinors(ctx)))
    await ctx.memory.note(factName(ctx), now);
}

export const forgetMinors = async (ctx: Ctx): Promise<void> => {
  if ((await rememberedMinors(ctx)).length > 0) await ctx.memory.note(factName(ctx), undefined);
};

/** From Linux 5.15 on; '' on older ones. */
export const diskNumber = async ({ host }: Pick<Ctx, 'host'>, minor: number): Promise<string> =>
  (await host.sys.read(`/sys/block/drbd${minor}/diskseq`).catch(() => '')).trim();
