import { commandFailure } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { type Cluster, lookAtCluster } from '../facts/cluster.ts';
import type { DrbdResource, Peer } from '../facts/drbd.ts';
import { isSameHost } from '../facts/drbd-hosts.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import { peerName } from '../facts/peers.ts';
import {
  hasSecondCopy,
  isExpected,
  isKeptTwice,
  movable,
  replicated,
  runsOn,
  services,
} from '../facts/service.ts';
import { type Narrate, narrator } from '../output/narration.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { duration } from '../output/units.ts';
import { say, type Words, wordsIn } from '../output/words.ts';
import { shellLine } from '../stack.ts';
import { agreed, type Proposal, requireRoot } from './change.ts';
import { isIdle, must, noneInTheWay, requireMet } from './preconditions.ts';

export type MaintenanceOptions = {
  readonly to: 'on' | 'off';
  readonly node: string | null;
  readonly dryRun: boolean;
  readonly yes: boolean;
};

const syncsWithinMs = 6 * 3_600_000;

/** `tsha maintenance on NODE | off [NODE]`: out of service until the node boots again, and back with both copies. */
export async function maintenance(call: Call, options: MaintenanceOptions): Promise<Ending> {
  const facts = await gather(call.host, Date.now());
  if (facts.cluster.is === 'unknown') throw new CommandError('unknown', facts.cluster.why);
  const cluster = facts.cluster.value;
  const words = wordsIn(call.terminal.language);
  const narrate = narrator(call, 'maintenance', facts.node);
  const nodes = nodesFor(cluster, options, words);
  const [node = ''] = nodes;
  if (nodes.length === 0) {
    narrate('nothing', [words.nothingToDo]);
    return 'well';
  }
  if (options.to === 'on') requireReady(facts, cluster, node, words);
  const steps = stepsFor(options.to, nodes, cluster);
  const commands = steps.map(({ argv }) => argv);
  narrate(
    'plan',
    commands.map((argv) => `  ${shellLine(argv)}`),
    { [options.to === 'on' ? 'from' : 'to']: node, commands: commands.map(shellLine) },
  );
  if (options.dryRun) return 'well';
  requireRoot(call);
  const isQuestion = options.to === 'on';
  const proposal: Proposal<readonly Step[]> = {
    question: isQuestion ? say(words.maintenanceNow, { node: harmless(node) }) : null,
    yes: options.yes,
    what: `tsha maintenance ${options.to}${options.node ? ` ${node}` : ''}`,
    plan: steps,
    async again() {
      const seen = await gather(call.host, Date.now());
      if (seen.cluster.is === 'unknown') throw new CommandError('unknown', seen.cluster.why);
      const now = seen.cluster.value;
      requireReady(seen, now, node, words);
      return stepsFor(options.to, nodesFor(now, options, words), now);
    },
  };
  return agreed(call, proposal, async (plan) => {
    for (const [index, step] of plan.entries()) await carryOut(call, step, index === 0, options.to, words);
    narrate('begun', [], { [options.to === 'on' ? 'from' : 'to']: node });
    return options.to === 'on' ? waitUntilOut(call, node, narrate) : waitForCopies(call, nodes, narrate);
  });
}

/** A command that did not answer may have done its work all the same: the cluster is asked before anything is said. */
async function carryOut(
  call: Call,
  { argv, node, lifetime }: Step,
  isFirst: boolean,
  to: MaintenanceOptions['to'],
  words: Words,
): Promise<void> {
  const output = await call.host.tryRun(argv, { timeoutMs: 15_000 });
  if (output.code === 0) return;
  const why = commandFailure(argv, output).message;
  const seen = await tryToKnow(() => lookAtCluster(call.host));
  if (seen.is === 'unknown')
    throw new CommandError('halfway', `${why}; ${words.notKnownWhether}`, ['tsha status']);
  const isSet = standbysOf(seen.value, node).includes(lifetime);
  if (isSet !== (to === 'on')) throw new CommandError(isFirst ? 'broken' : 'halfway', why, ['tsha status']);
}

/** Throws `CommandError` for a node that does not exist. */
function nodesFor(cluster: Cluster, { to, node }: MaintenanceOptions, words: Words): readonly string[] {
  const names = cluster.nodes.map(({ name }) => name);
  if (node !== null && !names.includes(node))
    throw new CommandError(
      'unknown',
      say(words.noSuchNode, { node: harmless(node), nodes: names.join(', ') }),
    );
  const isAway = (name: string) => cluster.nodes.some((one) => one.name === name && one.standby !== 'no');
  if (to === 'on') return node === null || isAway(node) ? [] : [node];
  return names.filter((name) => isAway(name) && (node === null || name === node));
}

/** What must hold before a node goes out of service. */
function requireReady(facts: Facts, cluster: Cluster, node: string, words: Words): void {
  requirePassive(facts, cluster, node, words);
  const isManaged =
    !cluster.maintenance &&
    cluster.nodes.every(({ name, maintenance }) => name !== node || !maintenance) &&
    cluster.instances.every((one) => one.node !== node || !one.active || one.managed);
  // one that is under way comes here, and the service with it
  const moves = cluster.cib.locations.filter(
    ({ id, node: to, endsAt }) =>
      /^cli-prefer-/.test(id) && to === node && (endsAt === null || endsAt > facts.time),
  );
  const conditions = [
    must(cluster.hasQuorum && cluster.dc !== null && isManaged, words.mustBeManaged),
    isIdle(cluster, words),
    noneInTheWay(moves, facts.time, words),
  ];
  requireMet(conditions, [], words.refused, shellLine(['tsha', 'maintenance', 'on', node]));
  requireCopyStays(facts, cluster, node, words);
}

/** A node that serves would take the service down, or the second copy with it: it is moved first. Of one that is away nobody knows. */
function requirePassive(facts: Facts, cluster: Cluster, node: string, words: Words): void {
  if (cluster.nodes.find(({ name }) => name === node)?.online !== true)
    throw new CommandError('broken', harmless(say(words.notOnline, { node })), ['tsha status']);
  const service = services(cluster).find((one) => one.node === node);
  const serving = service?.name ?? runsOn(cluster, node).join(', ');
  const [other] = cluster.nodes.filter(
    ({ name, online, standby }) => name !== node && online && standby === 'no',
  );
  if (serving !== '')
    throw new CommandError(
      'broken',
      say(words.servesHere, { node, name: harmless(serving) }),
      service && other
        ? [
            shellLine([
              'tsha',
              'switch',
              other.name,
              ...(movable(cluster).length > 1 ? [`--service=${service.id}`] : []),
            ]),
          ]
        : ['tsha status'],
    );
  const primary = primaryOn(facts, cluster, node);
  if (primary !== undefined)
    throw new CommandError('broken', harmless(say(words.primaryThere, { node, resource: primary })), [
      'tsha status',
    ]);
  if (!other) throw new CommandError('broken', words.noOtherNode);
}

/** Whether a connection leads to that node: of one whose peer nobody can name, where the cluster runs the resource there. */
function leadsTo(facts: Facts, cluster: Cluster, resource: DrbdResource, peer: Peer, node: string): boolean {
  const name = peerName(facts, resource, peer);
  if (name !== null) return isSameHost(name, node);
  const id = replicated(cluster).find((one) => one.name === resource.name)?.id;
  return id === undefined || isExpected(cluster, id, node);
}

/** A resource of DRBD's that somebody works on there, by the kernel's word. */
const primaryOn = (facts: Facts, cluster: Cluster, node: string): string | undefined =>
  facts.drbd.is === 'unknown'
    ? undefined
    : facts.drbd.value.resources.find((resource) =>
        node === facts.node
          ? resource.role === 'Primary'
          : resource.peers.some(
              (peer) => peer.role === 'Primary' && leadsTo(facts, cluster, resource, peer, node),
            ),
      )?.name;

/**
 * A disk that has failed is served from the other node's: that one must stay, as must the one that a resync reads from. Of a resource that this
 * kernel does not have only the agents tell.
 */
function requireCopyStays(facts: Facts, cluster: Cluster, node: string, words: Words): void {
  const wanted = replicated(cluster);
  if (wanted.length === 0) return;
  if (facts.drbd.is === 'unknown') throw new CommandError('unknown', facts.drbd.why);
  for (const one of wanted) {
    const here = facts.drbd.value.resources.find(({ name }) => name === one.name);
    const told = { node, resource: one.name };
    if (here && isOnlyCopy(facts, cluster, here, node))
      throw new CommandError('broken', harmless(say(words.onlyCopyThere, told)), ['tsha status']);
    const isBlind = !here && node !== facts.node && isExpected(cluster, one.id, node);
    if (isBlind && isKeptTwice(facts, cluster, one) !== true)
      throw new CommandError('unknown', harmless(say(words.copyNotSeen, told)), [
        harmless(`${shellLine(['tsha', 'maintenance', 'on', node])}   # ${node}`),
      ]);
  }
}

function isOnlyCopy(facts: Facts, cluster: Cluster, resource: DrbdResource, node: string): boolean {
  const connected = resource.peers.filter(({ connection }) => connection === 'Connected');
  return resource.volumes.some(({ volume, disk }) => {
    const isCurrent = (peers: readonly Peer[]) =>
      peers.some((peer) => peer.volumes.some((one) => one.volume === volume && one.disk === 'UpToDate'));
    if (node === facts.node) return connected.length > 0 && !isCurrent(connected);
    const there = connected.filter((peer) => leadsTo(facts, cluster, resource, peer, node));
    const elsewhere = connected.filter((peer) => !there.includes(peer));
    return isCurrent(there) && disk !== 'UpToDate' && !isCurrent(elsewhere);
  });
}

type Lifetime = 'reboot' | 'forever';
type Step = { readonly node: string; readonly lifetime: Lifetime; readonly argv: Argv };

/** Those of a failed stop are in neither place. */
function standbysOf({ cib, nodes }: Cluster, node: string): readonly Lifetime[] {
  const set = cib.nodes.get(node)?.standbys ?? [];
  const isAway = nodes.some(({ name, standby }) => name === node && standby !== 'no');
  return set.length === 0 && isAway ? ['forever'] : set;
}

function stepsFor(to: 'on' | 'off', nodes: readonly string[], cluster: Cluster): readonly Step[] {
  const command = (node: string, lifetime: Lifetime, ...what: readonly string[]): Step => ({
    ...{ node, lifetime },
    argv: ['crm_standby', '--node', node, '--lifetime', lifetime, ...what],
  });
  return nodes.flatMap((node) =>
    to === 'on'
      ? command(node, 'reboot', '--update', 'on')
      : standbysOf(cluster, node).map((lifetime) => command(node, lifetime, '--delete')),
  );
}

const outWithinMs = 180_000;

/** Until nothing of the cluster runs there; Ctrl-C ends the waiting and nothing else. */
async function waitUntilOut(call: Call, node: string, narrate: Narrate): Promise<Ending> {
  const { sys, host, terminal } = call;
  const words = wordsIn(terminal.language);
  const end = sys.now() + outWithinMs;
  let line = '';
  for (; sys.now() < end; await sys.sleep(1000)) {
    const seen = await tryToKnow(() => lookAtCluster(host));
    if (seen.is === 'unknown') continue;
    if (seen.value.nodes.find(({ name }) => name === node)?.online !== true) {
      narrate(
        'halfway',
        [`✗ ${harmless(say(words.wentAway, { node }))}`, '  → tsha status'],
        { from: node },
        'halfway',
      );
      return 'halfway';
    }
    const left = seen.value.instances.filter(
      (one) => one.node === node && one.active && !one.agent.startsWith('stonith:'),
    );
    if (left.length === 0) {
      narrate('done', [`✓ ${say(words.isOut, { node: harmless(node) })}`], { from: node, secondCopy: false });
      return 'well';
    }
    const told = line;
    line = say(words.stillStopping, { node, what: left.map(({ id }) => id).join(', ') });
    if (line !== told && !call.json) print(2, `${line}\n`);
  }
  narrate('halfway', [`✗ ${line}`, '  → tsha status'], { from: node }, 'halfway');
  return 'halfway';
}

/**
 * A node that comes back may be in standby for so long: configuration and status are asked for side by side, and what the attribute manager
 * has taken up is in the CIB only when it has chosen who writes.
 */
const backWithinMs = 10_000;

/** Until both copies are UpToDate; Ctrl-C ends the waiting and nothing else. */
async function waitForCopies(call: Call, nodes: readonly string[], narrate: Narrate): Promise<Ending> {
  const { sys, host, terminal } = call;
  const words = wordsIn(terminal.language);
  const end = sys.now() + syncsWithinMs;
  let awaySince: number | undefined;
  for (let told = ''; sys.now() < end; await sys.sleep(1000)) {
    const facts = await gather(host, Date.now());
    if (facts.cluster.is === 'known' && replicated(facts.cluster.value).length === 0) {
      narrate('done', [words.nothingToDo]);
      return 'well';
    }
    const [still] =
      facts.cluster.is === 'known'
        ? facts.cluster.value.nodes.filter(({ name, standby }) => nodes.includes(name) && standby !== 'no')
        : [];
    awaySince = still ? (awaySince ?? sys.now()) : undefined;
    if (still && awaySince !== undefined && sys.now() - awaySince > backWithinMs) {
      const why = harmless(say(words.stillStandby, { node: still.name }));
      narrate('halfway', [`✗ ${why}`, '  → tsha status'], { secondCopy: false }, 'halfway');
      return 'halfway';
    }
    const isUp =
      facts.cluster.is === 'known' && facts.cluster.value.instances.every(({ role }) => !/ing$/.test(role));
    if (hasSecondCopy(facts) === true && isUp && !still) {
      narrate('done', [`✓ ${words.bothUpToDate}`], { secondCopy: true });
      return 'well';
    }
    const volumes =
      facts.drbd.is === 'known'
        ? facts.drbd.value.resources.flatMap((one) => one.peers.flatMap((peer) => peer.volumes))
        : [];
    const syncing = volumes.find(({ replication }) => /^Sync/.test(replication));
    const line = syncing
      ? `${syncing.donePercent ?? '?'} %, ${say(words.left, { left: syncing.leftSeconds === null ? '?' : duration(syncing.leftSeconds) })}`
      : words.waitingForCopy;
    if (line !== told && !call.json) print(2, `${line}\n`);
    told = line;
  }
  narrate('halfway', [words.waitingForCopy], { secondCopy: false }, 'halfway');
  return 'halfway';
}
