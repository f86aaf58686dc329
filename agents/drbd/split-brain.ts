import type { SplitBrain, SplitBrainNews } from '../../lib/host/drbd/split-brain.ts';
import type { Connection, Resource } from '../../lib/host/drbd/state.ts';
import type { Host } from '../../lib/host/host.ts';
import { uptime } from '../../lib/host/host.ts';
import type { Ctx } from './params.ts';
import { factOf } from './wanted.ts';

type Remembered = {
  /** The connections that were not there, `beta StandAlone, gamma Connecting`. */
  readonly connections: string;
  readonly splits?: readonly SplitBrain[];
  /** Since when some peer is missing, in seconds of uptime. */
  readonly since?: number | undefined;
};
const what = 'split brain';

/**
 * The split brains that keep peers away, by the kernel's log: DRBD's state does not tell one from an administrator's `disconnect` or
 * from a peer that is gone. The log is read with every monitor while a connection is missing for which it has none yet, because DRBD 9
 * can leave one node Connecting for ever: nothing but the log changes there when the nodes meet and refuse each other. Only the first
 * monitor after a connection was lost does not read it unless the connection stands alone: most likely the peer has failed, and there
 * is a failover to be done.
 *
 * A split brain that is known stays so until the log tells of a handshake with that peer that went well, whatever becomes of the
 * connection's own state, which a notification changes. When all peers are back the log tells whether DRBD gave up somebody's changes.
 */
export async function splitBrains(ctx: Ctx, resource: Resource): Promise<readonly SplitBrain[]> {
  const { host, memory } = ctx;
  const factName = factOf(ctx, what);
  const lost = resource.connections.filter(({ state }) => state !== 'Connected');
  const connections = lost.map(({ peer, state }) => `${peer} ${state}`).join(', ');
  const before = (await memory.fact<Remembered>(factName)) ?? { connections: '' };
  const isNews = connections !== before.connections;
  if (lost.length === 0) {
    if (!isNews) return [];
    await tellIfSolved(ctx, resource, before.since ?? 0);
    await memory.hint(factName, { connections } satisfies Remembered);
    return [];
  }
  const known = lost.flatMap((one) => splitWith(one, before.splits ?? []) ?? []);
  const isTold = known.length === lost.length;
  const mustRead = isNews ? known.length > 0 || lost.some(isStandalone) : !isTold;
  const splits = mustRead ? await readAgain(ctx, resource, lost, known) : known;
  if (isNews || JSON.stringify(splits) !== JSON.stringify(before.splits ?? [])) {
    const since = before.since ?? (await uptime(host));
    await memory.hint(factName, { connections, splits, since } satisfies Remembered);
  }
  return splits;
}

async function readAgain(
  { host }: Ctx,
  resource: Resource,
  lost: readonly Connection[],
  known: readonly SplitBrain[],
): Promise<readonly SplitBrain[]> {
  const { unresolved, hasReunion } = await newsOf(host, resource);
  return lost.flatMap((one) => {
    const logged = splitWith(one, unresolved);
    return logged ?? (hasReunion(one.peer) || hasReunion('') ? [] : (splitWith(one, known) ?? []));
  });
}

/** The only peer of 8.4 has no name in the log. */
const splitWith = ({ peer }: Connection, splits: readonly SplitBrain[]): SplitBrain | undefined =>
  splits.find((one) => one.peer === '' || one.peer === peer);

const isStandalone = ({ state }: Connection): boolean => state === 'StandAlone';

async function tellIfSolved({ host, log }: Ctx, resource: Resource, since: number): Promise<void> {
  const { solved } = await newsOf(host, resource);
  if (!solved || solved.second < since) return;
  const loser = solved.survivor === 'here' ? 'the peer' : 'this node';
  log.warn(
    `${resource.name}: DRBD has solved a split brain by its after-sb policy: what ${loser} wrote since they parted is given up (generation ${solved.here} here, ${solved.there} there)`,
  );
}

/** Nothing of it is loaded by the monitor of a resource whose peers are all there. */
const newsOf = async (host: Host, resource: Resource): Promise<SplitBrainNews> =>
  (await import('../../lib/host/drbd/split-brain.ts')).splitBrainNews(host, resource);
