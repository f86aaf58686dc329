import { uptime } from '../../lib/host/host.ts';
import type { Ctx } from './params.ts';

/** Something the cluster is to know of this node. */
export type Message = {
  /** What it is about; one value at a time is told of it. */
  readonly about: string;
  readonly value: string;
  /** Returns what went wrong, if anything did. */
  readonly write: () => Promise<string | undefined>;
  /** Whether the cluster has it still; `undefined` when nobody could tell. Without it the same is written again. */
  readonly isKept?: () => Promise<boolean | undefined>;
};

type Told = { readonly [about: string]: { readonly value: string; readonly second: number } };
const factName = 'told';

/**
 * How long the cluster is trusted to have kept what it was told. What a node has told goes when it leaves the cluster, and then a probe tells it
 * anew; what is left is somebody deleting it by hand, and Pacemaker's own loss of it (`isScoreKept`).
 */
const trustedSeconds = 60;

/**
 * Tells what has changed. When nothing has, the one message that was told longest ago is told again, if that was more than a
 * minute ago: never more than one command in a steady monitor.
 */
export async function tellIfDue(ctx: Ctx, messages: readonly Message[]): Promise<void> {
  const told = await toldBefore(ctx);
  const second = await uptime(ctx.host);
  const changed = messages.filter(({ about, value }) => told[about]?.value !== value);
  const age = ({ about }: Message) => second - (told[about]?.second ?? Number.NEGATIVE_INFINITY);
  const [oldest] = messages.toSorted((one, other) => age(other) - age(one));
  const isStale = oldest !== undefined && !(age(oldest) < trustedSeconds);
  if (changed.length > 0) return tell(ctx, changed);
  if (!isStale) return;
  const isKept = await oldest.isKept?.();
  if (isKept === true) return remember(ctx, { [oldest.about]: { value: oldest.value, second } });
  if (isKept === false) {
    ctx.log.warn(`the cluster has lost the ${oldest.about} ${oldest.value} of this node: written anew`);
    await (await import('../../lib/host/cluster-memory.ts')).rewriteAttributes(ctx.host);
  }
  await tell(ctx, [oldest]);
}

/** Tells now, whatever was told before. Never fails: what the cluster knows of it is no reason to fail an action. */
export async function tell(ctx: Ctx, messages: readonly Message[]): Promise<void> {
  if (messages.length === 0) return;
  const second = await uptime(ctx.host);
  const now = await Promise.all(
    messages.map(async ({ about, value, write }) => {
      const trouble = await write();
      if (trouble) ctx.log.warn(`${about} ${value} not written: ${trouble}`);
      return [about, trouble ? { value: '', second } : { value, second }] as const;
    }),
  );
  await remember(ctx, Object.fromEntries(now));
}

const remember = async (ctx: Ctx, now: Told): Promise<void> =>
  ctx.memory.hint(factName, { ...(await toldBefore(ctx)), ...now } satisfies Told);

export const toldBefore = async ({ memory }: Ctx): Promise<Told> => (await memory.fact<Told>(factName)) ?? {};
