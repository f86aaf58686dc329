import type { Call } from '../command.ts';
import type { Ending } from '../exit.ts';
import { type Cluster, type FailedAction, type Instance, lookAtCluster } from '../facts/cluster.ts';
import { type Known, tryToKnow, unknown } from '../facts/known.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { clock } from '../output/units.ts';
import { say } from '../output/words.ts';
import type { Wanted } from '../plan/cluster.ts';
import { applyWords } from './words.ts';
import { settle } from './workshop.ts';

const runsWithinMs = 300_000;
const settlesWithinMs = 60_000;

/**
 * Tells what every resource of the pair becomes until all of it runs on one node, within a bound. Right after a push all of it still runs as
 * before: what counts is a look after Pacemaker had nothing left to do. `before` are the failures that were there already.
 */
export async function followUntilRunning(
  call: Call,
  wanted: Wanted,
  before: readonly FailedAction[],
): Promise<Ending> {
  const { host, sys, terminal } = call;
  const words = applyWords(terminal.language);
  const end = sys.now() + runsWithinMs;
  const told = new Map<string, string>();
  let isIdle = false;
  let seen: Known<Cluster> = unknown('');
  while (sys.now() < end) {
    const askedAt = sys.now();
    seen = await tryToKnow(() => lookAtCluster(host));
    const pauseMs = Math.max(1000, 3 * (sys.now() - askedAt));
    if (seen.is === 'known') {
      if (seen.value.maintenance) {
        print(1, terminal.marks(`! ${words.inMaintenance}\n`));
        return 'attention';
      }
      tellStates(seen.value, wanted, told);
      const home = homeOf(seen.value, wanted);
      if (home !== null && isIdle) return arrived(call, seen.value, wanted, home, before);
      isIdle = home !== null && (await settle(host, Math.min(settlesWithinMs, end - sys.now())));
    }
    // asking takes half a second of a small node's only processor, which the agents need now
    if (!isIdle) await sys.sleep(pauseMs);
  }
  return notArrived(call, seen, wanted);
}

/** What is another state than was told before. */
function tellStates({ instances }: Cluster, { resources }: Wanted, told: Map<string, string>): void {
  for (const one of instances.filter(
    ({ id, node }) => node !== null && resources.some((of) => of.id === id),
  )) {
    const key = `${one.node} ${one.id}`;
    const state = isAtRest(one) ? one.role : `${one.role}, ${one.pending}`;
    if (told.get(key) !== state)
      print(1, `${clock(Date.now(), Date.now())}  ${harmless(`${key}: ${state}`)}\n`);
    told.set(key, state);
  }
}

/** All of it runs; whether a second copy is there, and whether something has failed on the way. */
function arrived(
  { terminal }: Call,
  cluster: Cluster,
  wanted: Wanted,
  home: string,
  before: readonly FailedAction[],
): Ending {
  const words = applyWords(terminal.language);
  const keyOf = ({ resource, action, node, at }: FailedAction) => [resource, action, node, at].join(' ');
  const known = new Set(before.map(keyOf));
  const failures = failuresOf(cluster, wanted).filter((one) => !known.has(keyOf(one)));
  const alone = withoutCopy(cluster, wanted, home);
  const isWell = failures.length === 0 && alone.length === 0;
  const facts = { id: wanted.clone.members.join(', '), nodes: harmless(alone.join(', ') || '–') };
  const lines = [
    `${isWell ? '✓' : '!'} ${say(words.running, { node: harmless(home) })}`,
    ...(failures.length === 0 ? [] : [`! ${words.failedOnTheWay}`, ...failures.map(sentenceOf)]),
    ...(alone.length === 0 ? [] : [`! ${say(words.noSecondCopy, facts)}`]),
    ...(isWell ? [] : ['  → tsha status']),
  ];
  print(1, terminal.marks(lines.map((line) => `${line}\n`).join('')));
  return isWell ? 'well' : 'attention';
}

/** What it was when the time was up. */
function notArrived({ terminal }: Call, seen: Known<Cluster>, wanted: Wanted): Ending {
  const words = applyWords(terminal.language);
  const seconds = runsWithinMs / 1000;
  const home = seen.is === 'known' ? homeOf(seen.value, wanted) : null;
  const lines =
    seen.is === 'unknown'
      ? [`✗ ${say(words.notSeen, { why: harmless(seen.why) })}`]
      : home !== null
        ? [`! ${say(words.notIdle, { node: harmless(home), seconds })}`]
        : [...failuresOf(seen.value, wanted).map(sentenceOf), `✗ ${say(words.notRunning, { seconds })}`];
  print(2, terminal.marks([...lines, '  → tsha status', ''].join('\n')));
  return home === null ? 'halfway' : 'attention';
}

const failuresOf = ({ failures }: Cluster, { resources }: Wanted): readonly FailedAction[] =>
  failures.filter(({ resource }) => resources.some(({ id }) => id === resource));

const sentenceOf = ({ resource, action, node, reason }: FailedAction): string =>
  harmless(`  ${resource} ${action} on ${node}: ${reason}`);

const isAtRest = ({ pending }: Instance): boolean => (pending ?? 'Monitoring') === 'Monitoring';

const isThere = (one: Instance, role: string): boolean =>
  one.active && !one.failed && one.role === role && isAtRest(one);

/** The node that all of the pair runs on, DRBD promoted there; null while it does not. */
function homeOf({ instances }: Cluster, { resources, clone }: Wanted): string | null {
  const runs = (id: string): Instance | undefined =>
    instances.find(
      (one) => one.id === id && isThere(one, clone.members.includes(id) ? 'Promoted' : 'Started'),
    );
  const homes = new Set(resources.map(({ id }) => runs(id)?.node ?? null));
  const [home = null] = homes;
  return homes.size === 1 ? home : null;
}

/** The other nodes, where DRBD runs on none of them. */
function withoutCopy({ instances, nodes }: Cluster, { clone }: Wanted, home: string): readonly string[] {
  const others = nodes.map(({ name }) => name).filter((name) => name !== home);
  const hasCopy = (node: string) =>
    instances.some(
      (one) => clone.members.includes(one.id) && one.node === node && isThere(one, 'Unpromoted'),
    );
  return others.some(hasCopy) ? [] : others;
}
