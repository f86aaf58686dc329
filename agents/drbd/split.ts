import { type SplitBrain, splitBrainNews } from '../../lib/host/drbd/split-brain.ts';
import type { Connection, Resource } from '../../lib/host/drbd/state.ts';
import type { Ctx } from './params.ts';
import { uptime } from './tell.ts';

type Seen = {
  readonly connections: string;
  readonly split?: SplitBrain | undefined;
  /** Since when some peer is missing, and when the log is to be read next, in seconds of uptime. */
  readonly since?: number | undefined;
  readonly next?: number | undefined;
};
const factName = 'split brain';
const waitSeconds = 60;

/**
 * Whether a peer that is not connected is so because of a split brain, by the kernel's log. That is read when a connection begins
 * to stand alone, and once a minute as long as it says nothing: it can have been mended and lost again between two monitors. One
 * that goes on connecting most likely has lost its peer, and more urgent things to do at first: a minute later, once. When all
 * peers are back, it tells whether DRBD gave up somebody's changes for it.
 */
export async function splitBrainSeen(ctx: Ctx, resource: Resource): Promise<SplitBrain | undefined> {
  const { host, memory } = ctx;
  const lost = resource.connections.filter(({ state }) => state !== 'Connected');
  const connections = lost.map(({ peer, state }) => `${peer} ${state}`).join(', ');
  const seen = (await memory.fact<Seen>(factName)) ?? { connections: '' };
  const isNews = connections !== seen.connections;
  if (!isNews && (seen.next === undefined || seen.split)) return seen.split;

  const now = await uptime(ctx);
  if (!isNews && now < (seen.next ?? 0)) return undefined;
  if (lost.length === 0) {
    await tellIfSolved(ctx, resource, seen.since ?? now);
    await memory.note(factName, { connections } satisfies Seen);
    return undefined;
  }
  const standsAlone = lost.some(isStandalone);
  const split = standsAlone || !isNews ? (await splitBrainNews(host, resource)).unresolved : undefined;
  const next = isNews || standsAlone ? now + waitSeconds : undefined;
  await memory.note(factName, { connections, split, since: seen.since ?? now, next } satisfies Seen);
  return split;
}

const isStandalone = ({ state }: Connection): boolean => state === 'StandAlone';

async function tellIfSolved({ host, log }: Ctx, resource: Resource, since: number): Promise<void> {
  const { solved } = await splitBrainNews(host, resource);
  if (!solved || solved.second < since) return;
  const loser = solved.survivor === 'here' ? 'the peer' : 'this node';
  log.warn(
    `${resource.name}: DRBD has solved a split brain by its after-sb policy: what ${loser} wrote since they parted is given up (generation ${solved.here} here, ${solved.there} there)`,
  );
}
