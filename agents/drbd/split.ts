import { type SplitBrain, splitBrain } from '../../lib/host/drbd/split-brain.ts';
import type { Connection, Resource } from '../../lib/host/drbd/state.ts';
import type { Ctx } from './params.ts';
import { uptime } from './tell.ts';

type Seen = {
  readonly connections: string;
  readonly split?: SplitBrain | undefined;
  /** When the log is to be read next, in seconds of uptime. */
  readonly next?: number | undefined;
};
const factName = 'split brain';
const waitSeconds = 60;

/**
 * Whether a peer that is not connected is so because of a split brain, by the kernel's log. That is read when a connection begins
 * to stand alone, and once a minute as long as it says nothing: it can have been mended and lost again between two monitors. One
 * that goes on connecting most likely has lost its peer, and more urgent things to do at first: a minute later, once.
 */
export async function splitBrainSeen(ctx: Ctx, resource: Resource): Promise<SplitBrain | undefined> {
  const { host, memory } = ctx;
  const lost = resource.connections.filter(({ state }) => state !== 'Connected');
  const connections = lost.map(({ peer, state }) => `${peer} ${state}`).join(', ');
  const seen = await memory.fact<Seen>(factName);
  const isNews = connections !== (seen?.connections ?? '');
  if (!isNews && (seen?.next === undefined || seen.split)) return seen?.split;

  const now = await uptime(ctx);
  if (!isNews && now < (seen?.next ?? 0)) return undefined;
  const standsAlone = lost.some(isStandalone);
  const split = standsAlone || (!isNews && lost.length > 0) ? await splitBrain(host, resource) : undefined;
  const isAgain = lost.length > 0 && (isNews || standsAlone);
  await memory.note(factName, {
    connections,
    split,
    next: isAgain ? now + waitSeconds : undefined,
  } satisfies Seen);
  return split;
}

const isStandalone = ({ state }: Connection): boolean => state === 'StandAlone';
