import { type SplitBrain, splitBrain } from '../../lib/host/drbd/split-brain.ts';
import type { Resource } from '../../lib/host/drbd/state.ts';
import type { Ctx } from './params.ts';

type Seen = { readonly connections: string; readonly split: SplitBrain | undefined };
const factName = 'split brain';

/**
 * Whether a peer that is not connected is so because of a split brain. The kernel's log is read when a connection has changed,
 * and not with every monitor.
 */
export async function splitBrainSeen(
  { host, memory }: Ctx,
  resource: Resource,
): Promise<SplitBrain | undefined> {
  const lost = resource.connections.filter(({ state }) => state !== 'Connected');
  const connections = lost.map(({ peer, state }) => `${peer} ${state}`).join(', ');
  const seen = await memory.fact<Seen>(factName);
  if (connections === (seen?.connections ?? '')) return seen?.split;
  const split = lost.length > 0 ? await splitBrain(host, resource) : undefined;
  await memory.note(factName, { connections, split } satisfies Seen);
  return split;
}
