import type { Call } from '../command.ts';
import type { Ending } from '../exit.ts';
import { type Cluster, type Instance, lookAtCluster } from '../facts/cluster.ts';
import { tryToKnow } from '../facts/known.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { clock } from '../output/units.ts';
import { say } from '../output/words.ts';
import type { Wanted } from '../plan/cluster.ts';
import { applyWords } from './words.ts';

const runsWithinMs = 300_000;

/** Tells what every resource of the pair becomes until all of it runs on one node, within a bound. */
export async function followUntilRunning(call: Call, wanted: Wanted): Promise<Ending> {
  const { host, sys, terminal } = call;
  const words = applyWords(terminal.language);
  const ids = wanted.resources.map(({ id }) => id);
  const end = sys.now() + runsWithinMs;
  const told = new Map<string, string>();
  let last: Cluster | null = null;
  while (sys.now() < end) {
    const askedAt = sys.now();
    const seen = await tryToKnow(() => lookAtCluster(host));
    if (seen.is === 'known') {
      last = seen.value;
      for (const one of last.instances.filter(({ id, node }) => ids.includes(id) && node !== null)) {
        const key = `${one.node} ${one.id}`;
        const state = one.pending && one.pending !== 'Monitoring' ? `${one.role}, ${one.pending}` : one.role;
        if (told.get(key) !== state)
          print(1, `${clock(Date.now(), Date.now())}  ${harmless(`${key}: ${state}`)}\n`);
        told.set(key, state);
      }
      const node = homeOf(last, wanted);
      if (node !== null) {
        print(1, terminal.marks(`✓ ${say(words.running, { node: harmless(node) })}\n`));
        return 'well';
      }
    }
    // asking takes half a second of a small node's only processor, which the agents need now
    await sys.sleep(Math.max(1000, 3 * (sys.now() - askedAt)));
  }
  for (const { resource, action, node, reason } of last?.failures ?? [])
    if (ids.includes(resource)) print(2, `${harmless(`${resource} ${action} on ${node}: ${reason}`)}\n`);
  print(2, terminal.marks(`✗ ${say(words.notRunning, { seconds: runsWithinMs / 1000 })}\n  → tsha status\n`));
  return 'halfway';
}

/** The node that all of the pair runs on, DRBD promoted there; null while it does not. */
function homeOf({ instances }: Cluster, { resources, clone }: Wanted): string | null {
  const runs = (id: string): Instance | undefined =>
    instances.find(
      (one) =>
        one.id === id &&
        one.active &&
        !one.failed &&
        one.role === (clone.members.includes(id) ? 'Promoted' : 'Started') &&
        (one.pending ?? 'Monitoring') === 'Monitoring',
    );
  const homes = new Set(resources.map(({ id }) => runs(id)?.node ?? null));
  const [home = null] = homes;
  return homes.size === 1 ? home : null;
}
