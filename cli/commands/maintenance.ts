import { commandFailure } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { type Cluster, lookAtCluster } from '../facts/cluster.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import { hasSecondCopy, movable, replicated, runsOn, services } from '../facts/service.ts';
import { peerName } from '../findings/now.ts';
import { type Narrate, narrator } from '../output/narration.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { duration } from '../output/units.ts';
import { say, type Words, wordsIn } from '../output/words.ts';
import { shellLine } from '../stack.ts';
import { agreed, type Proposal, requireRoot } from './change.ts';

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
  if (options.to === 'on') {
    requirePassive(facts, cluster, node, words);
    requireCopyStays(facts, cluster, node, words);
  }
  const commands = nodes.map((name) => commandFor(options.to, name, cluster));
  narrate(
    'plan',
    commands.map((argv) => `  ${shellLine(argv)}`),
    { [options.to === 'on' ? 'from' : 'to']: node, commands: commands.map(shellLine) },
  );
  if (options.dryRun) return 'well';
  requireRoot(call);
  const isQuestion = options.to === 'on';
  const proposal: Proposal<readonly Argv[]> = {
    question: isQuestion ? say(words.maintenanceNow, { node: harmless(node) }) : null,
    yes: options.yes,
    what: `tsha maintenance ${options.to}${options.node ? ` ${node}` : ''}`,
    plan: commands,
    async again() {
      const seen = await gather(call.host, Date.now());
      if (seen.cluster.is === 'unknown') throw new CommandError('unknown', seen.cluster.why);
      const now = seen.cluster.value;
      requirePassive(seen, now, node, words);
      requireCopyStays(seen, now, node, words);
      return nodesFor(now, options, words).map((name) => commandFor(options.to, name, now));
    },
  };
  return agreed(call, proposal, async (plan) => {
    for (const [index, argv] of plan.entries())
      await carryOut(call, argv, nodes[index] ?? '', options.to, words);
    narrate('begun', [], { [options.to === 'on' ? 'from' : 'to']: node });
    return options.to === 'on' ? waitUntilOut(call, node, narrate) : waitForCopies(call, narrate);
  });
}

/** A command that did not answer may have done its work all the same: the cluster is asked before anything is said. */
async function carryOut(
  call: Call,
  argv: Argv,
  node: string,
  to: MaintenanceOptions['to'],
  words: Words,
): Promise<void> {
  const output = await call.host.tryRun(argv, { timeoutMs: 15_000 });
  if (output.code === 0) return;
  const why = commandFailure(argv, output).message;
  const seen = await tryToKnow(() => lookAtCluster(call.host));
  if (seen.is === 'unknown')
    throw new CommandError('halfway', `${why}; ${words.notKnownWhether}`, ['tsha status']);
  const standby = seen.value.nodes.find(({ name }) => name === node)?.standby;
  if ((standby !== 'no') !== (to === 'on')) throw new CommandError('broken', why, ['tsha status']);
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
  const primary = primaryOn(facts, node);
  if (primary !== undefined)
    throw new CommandError('broken', harmless(say(words.primaryThere, { node, resource: primary })), [
      'tsha status',
    ]);
  if (!other) throw new CommandError('broken', words.noOtherNode);
}

/** A resource of DRBD's that somebody works on there, by the kernel's word. */
const primaryOn = (facts: Facts, node: string): string | undefined =>
  facts.drbd.is === 'unknown'
    ? undefined
    : facts.drbd.value.resources.find(({ role, peers }) =>
        node === facts.node
          ? role === 'Primary'
          : peers.some((peer) => peer.role === 'Primary' && peerName(facts, peer) === node),
      )?.name;

/** A disk that has failed is served from the other node's: that one must stay, as must the one that a resync reads from. */
function requireCopyStays(facts: Facts, cluster: Cluster, node: string, words: Words): void {
  const names = replicated(cluster).map(({ name }) => name);
  if (names.length === 0) return;
  if (facts.drbd.is === 'unknown') throw new CommandError('unknown', facts.drbd.why);
  for (const { name, volumes, peers } of facts.drbd.value.resources) {
    const connected = peers.filter(({ connection }) => connection === 'Connected');
    const isLeftAlone = volumes.some(({ volume, disk }) => {
      const theirs = connected.flatMap((peer) => peer.volumes.filter((one) => one.volume === volume));
      const areTheirsGood = theirs.some((one) => one.disk === 'UpToDate');
      return node === facts.node ? theirs.length > 0 && !areTheirsGood : disk !== 'UpToDate' && areTheirsGood;
    });
    if (names.includes(name) && isLeftAlone)
      throw new CommandError('broken', harmless(say(words.onlyCopyThere, { node, resource: name })), [
        'tsha status',
      ]);
  }
}

function commandFor(to: 'on' | 'off', node: string, { nodes }: Cluster): Argv {
  if (to === 'on') return ['crm_standby', '--node', node, '--lifetime', 'reboot', '--update', 'on'];
  const lifetime = nodes.find(({ name }) => name === node)?.standby === 'reboot' ? 'reboot' : 'forever';
  return ['crm_standby', '--node', node, '--lifetime', lifetime, '--delete'];
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

/** Until both copies are UpToDate; Ctrl-C ends the waiting and nothing else. */
async function waitForCopies(call: Call, narrate: Narrate): Promise<Ending> {
  const { sys, host, terminal } = call;
  const words = wordsIn(terminal.language);
  const end = sys.now() + syncsWithinMs;
  for (let told = ''; sys.now() < end; await sys.sleep(1000)) {
    const facts = await gather(host, Date.now());
    if (facts.cluster.is === 'known' && replicated(facts.cluster.value).length === 0) {
      narrate('done', [words.nothingToDo]);
      return 'well';
    }
    const isUp =
      facts.cluster.is === 'known' && facts.cluster.value.instances.every(({ role }) => !/ing$/.test(role));
    if (hasSecondCopy(facts) === true && isUp) {
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
