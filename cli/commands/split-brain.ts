import { mounts } from '../../lib/host/storage/mounts.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import type { Cluster } from '../facts/cluster.ts';
import { type DrbdResource, lookAtDrbd, type Peer } from '../facts/drbd.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import { clusterRole, isTwice, replicated } from '../facts/service.ts';
import { findingsNow, peerName } from '../findings/now.ts';
import { envelope } from '../output/json.ts';
import { print, printLines } from '../output/print.ts';
import { harmless, table } from '../output/terminal.ts';
import { amount, clock, duration } from '../output/units.ts';
import { say, wordsIn } from '../output/words.ts';
import { atWork, requireRoot } from './change.ts';

export type SplitBrainOptions = {
  readonly resource: string | null;
  readonly discard: string | null;
  readonly confirm: string | null;
  readonly dryRun: boolean;
};

/** One side of a split brain. */
export type Side = {
  readonly node: string;
  readonly isHere: boolean;
  /** Primary or Secondary, by the kernel here, by the cluster there; null when nobody could tell. */
  readonly role: string | null;
  readonly changedKiB: number | null;
  readonly generation: string | null;
};

export type Split = {
  readonly resource: string;
  /** DRBD 9 has a connection for each peer, and only this one is to be touched. */
  readonly isOneOfSeveral: boolean;
  readonly sides: readonly [Side, Side];
  readonly foundAt: number | null;
};

/**
 * `tsha split-brain [RESOURCE]`: both sides of a split brain, and a proposal. Changes nothing unless it is told whose changes to give up,
 * twice: `--discard=beta --confirm=beta`.
 */
export async function splitBrain(call: Call, options: SplitBrainOptions): Promise<Ending> {
  const facts = await gather(call.host, Date.now());
  if (facts.drbd.is === 'unknown') throw new CommandError('unknown', facts.drbd.why);
  const found = splitsIn(facts, options.resource);
  const words = wordsIn(call.terminal.language);
  if (call.json && options.discard === null) {
    const { time, node } = facts;
    const findings = findingsNow(facts).filter(({ code }) => code === 'SPLIT_BRAIN');
    print(
      1,
      `${JSON.stringify(envelope({ kind: 'split-brain', time, node, findings, data: { splits: found.map(dataOf) } }))}\n`,
    );
    return found.length > 0 ? 'broken' : 'well';
  }
  const alone = standingAlone(facts, options.resource);
  if (found.length === 0 && alone.length > 0)
    throw new CommandError('unknown', say(words.aloneUntold, { resource: harmless(alone.join(', ')) }), [
      `drbdadm connect ${alone[0]}`,
    ]);
  if (found.length === 0) {
    print(
      1,
      `${options.resource === null ? words.noSplit : say(words.noSplitOf, { resource: harmless(options.resource) })}\n`,
    );
    return 'well';
  }
  printLines(
    found.flatMap((split) => splitLines(split, facts, words)).map((line) => call.terminal.marks(line)),
  );
  if (options.discard === null) {
    print(1, `${words.nothingChanged}\n`);
    return 'broken';
  }
  const [split, ...others] = found;
  if (!split || others.length > 0) throw new CommandError('unknown', words.whichResource);
  return discard(call, facts, split, options);
}

const dataOf = ({ resource, sides, foundAt }: Split) => ({
  resource,
  foundAt: foundAt === null ? null : new Date(foundAt).toISOString(),
  sides: sides.map(({ node, isHere, role, changedKiB, generation }) => ({
    node,
    isHere,
    role,
    changedKiB,
    generation,
  })),
  proposedVictim: proposal(sides)?.node ?? null,
});

export function splitsIn(facts: Facts, wanted: string | null): readonly Split[] {
  if (facts.drbd.is === 'unknown') return [];
  const resources = facts.drbd.value.resources.filter(({ name }) => wanted === null || name === wanted);
  if (wanted !== null && resources.length === 0)
    throw new CommandError('unknown', `DRBD has no resource ${harmless(wanted)} on this node`);
  return resources.flatMap((resource) =>
    resource.peers.flatMap((peer) => (peer.splitBrain ? [splitOf(facts, resource, peer)] : [])),
  );
}

/** Resources with a connection that stands alone, be it by hand or by a split brain that the log no longer tells. */
export function standingAlone({ drbd }: Facts, wanted: string | null): readonly string[] {
  const resources = drbd.is === 'known' ? drbd.value.resources : [];
  return resources
    .filter(
      ({ name, peers }) =>
        (wanted === null || name === wanted) && peers.some(({ connection }) => connection === 'StandAlone'),
    )
    .map(({ name }) => name);
}

function splitOf(facts: Facts, resource: DrbdResource, peer: Peer): Split {
  const other = peerName(facts, peer);
  const split = peer.splitBrain;
  const cluster = facts.cluster.is === 'known' ? facts.cluster.value : null;
  return {
    resource: resource.name,
    isOneOfSeveral: peer.name !== null,
    foundAt: split?.foundAt ?? null,
    sides: [
      {
        node: facts.node,
        isHere: true,
        role: resource.role,
        changedKiB: split?.hereKiB ?? null,
        generation: split?.generationHere ?? null,
      },
      {
        node: other,
        isHere: false,
        role: cluster ? believedRole(cluster, resource.name, other) : null,
        changedKiB: split?.thereKiB ?? null,
        generation: split?.generationThere ?? null,
      },
    ],
  };
}

const inDrbdsWords: { readonly [role: string]: string } = {
  Promoted: 'Primary',
  Unpromoted: 'Secondary',
  Stopped: 'Secondary',
};

function believedRole(cluster: Cluster, name: string, node: string): string | null {
  const id = replicated(cluster).find((one) => one.name === name)?.id;
  const role = id === undefined ? null : clusterRole(cluster, id, node);
  return role === null ? null : (inDrbdsWords[role] ?? role);
}

/** Whose changes to give up: those of the side that nobody works on. Null when both or neither is Primary. */
export function proposal(sides: Split['sides']): Side | null {
  const primary = sides.filter(({ role }) => role === 'Primary');
  const secondary = sides.filter(({ role }) => role === 'Secondary');
  return primary.length === 1 && secondary.length === 1 ? (secondary[0] ?? null) : null;
}

function splitLines(split: Split, { time }: Facts, words: ReturnType<typeof wordsIn>): readonly string[] {
  const { sides, resource, foundAt } = split;
  const row = (label: string, value: (side: Side) => string) => ['', label, ...sides.map(value)];
  const victim = proposal(sides);
  const keeper = sides.find((side) => side !== victim);
  return [
    ...table([
      ['', harmless(resource), ...sides.map(({ node }) => harmless(node))],
      row(words.roleNow, ({ role }) => role ?? '?'),
      row(words.changedAlone, ({ changedKiB }) =>
        changedKiB === null ? '?' : say(words.atMost, { amount: amount(changedKiB) }),
      ),
      row(words.generation, ({ generation }) => generation ?? '?'),
    ]),
    ...(foundAt === null ? [] : [`  ${say(words.metAt, { when: clock(foundAt, time) })}`]),
    ...(victim && keeper
      ? [
          say(words.proposal, { keeper: harmless(keeper.node) }),
          `  → tsha split-brain ${resource} --discard=${victim.node} --confirm=${victim.node}`,
        ]
      : [words.noProposal]),
  ];
}

const tool = (...words: readonly string[]): Argv => ['drbdadm', ...words];
const syncsWithinMs = 6 * 3_600_000;
const sshOptions = ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5'] as const;

/** What the side that gives up its changes has to do, and what the other one; `drbdadm` takes `resource:peer` for one connection. */
export function repair({ resource, sides, isOneOfSeveral }: Split, victim: string): RepairCommands {
  const other = (node: string) => sides.find((side) => side.node !== node)?.node ?? '';
  const towards = (peer: string) => (isOneOfSeveral ? `${resource}:${peer}` : resource);
  const toSurvivor = towards(other(victim));
  return {
    victim: [tool('disconnect', toSurvivor), tool('connect', '--discard-my-data', toSurvivor)],
    survivor: [tool('connect', towards(victim))],
  };
}

type RepairCommands = { readonly victim: readonly Argv[]; readonly survivor: readonly Argv[] };

async function discard(call: Call, facts: Facts, split: Split, options: SplitBrainOptions): Promise<Ending> {
  const words = wordsIn(call.terminal.language);
  const { resource, sides } = split;
  const victim = sides.find(({ node }) => node === options.discard);
  const survivor = sides.find((side) => side !== victim);
  if (!victim || !survivor)
    throw new CommandError(
      'unknown',
      `${harmless(options.discard ?? '')} is no side of it (${sides.map(({ node }) => node).join(', ')})`,
    );
  await requireUnused(call, facts, split, victim);
  const commands = repair(split, victim.node);
  const here = victim.isHere ? commands.victim : commands.survivor;
  const there = victim.isHere ? commands.survivor : commands.victim;
  const other = victim.isHere ? survivor.node : victim.node;
  print(
    1,
    [
      ...here.map((argv) => `  ${facts.node}: ${argv.join(' ')}\n`),
      ...there.map((argv) => `  ${other}: ${argv.join(' ')}\n`),
    ].join(''),
  );
  if (options.dryRun) {
    print(1, `${words.nothingChanged}\n`);
    return 'well';
  }
  if (options.confirm !== victim.node)
    throw new CommandError(
      'broken',
      say(words.confirmNeeded, { node: victim.node, amount: amount(victim.changedKiB) }),
      [`tsha split-brain ${resource} --discard=${victim.node} --confirm=${victim.node}`],
    );
  requireRoot(call);
  return atWork(call, 'split-brain', async () => {
    // The side that keeps its data may be connecting already; a victim's first command then finds nothing to disconnect.
    for (const argv of here) await call.host.tryRun(argv, { timeoutMs: 20_000 });
    const line = there.map((argv) => argv.join(' ')).join('; ');
    const remote = await call.host.tryRun(['ssh', ...sshOptions, '--', other, line], { timeoutMs: 40_000 });
    if (remote.missing || remote.hung || remote.code === 255)
      print(1, call.terminal.marks(`${say(words.runThere, { node: other })}\n  → ${line}\n`));
    return followResync(call, resource);
  });
}

/** Whoever is Primary, or has it mounted, is at work on the data: giving that up would pull it from under somebody. */
async function requireUnused(
  call: Call,
  { cluster }: Facts,
  { resource }: Split,
  victim: Side,
): Promise<void> {
  const words = wordsIn(call.terminal.language);
  if (victim.role === null)
    throw new CommandError('unknown', say(words.victimUnknown, { node: victim.node }));
  const isPrimary = victim.role !== 'Secondary';
  const serves = cluster.is === 'known' && believedRole(cluster.value, resource, victim.node) === 'Primary';
  if (isPrimary || serves) throw new CommandError('broken', say(words.victimInUse, { node: victim.node }));
  if (!victim.isHere) return;
  const drbd = await lookAtDrbd(call.host);
  const minors =
    drbd.resources.find(({ name }) => name === resource)?.volumes.map(({ minor }) => `147:${minor}`) ?? [];
  const mounted = (await mounts(call.host)).find(({ device }) => minors.includes(device));
  if (mounted) throw new CommandError('broken', say(words.victimInUse, { node: victim.node }));
}

/** Until both copies are UpToDate. Whatever ends this waiting, DRBD goes on by itself. */
async function followResync(call: Call, resource: string): Promise<Ending> {
  const { sys, host, terminal } = call;
  const words = wordsIn(terminal.language);
  const end = sys.now() + syncsWithinMs;
  for (let told = ''; sys.now() < end; await sys.sleep(500)) {
    const seen = await tryToKnow(() => lookAtDrbd(host));
    if (seen.is === 'unknown') continue;
    const found = seen.value.resources.find(({ name }) => name === resource);
    if (found && isTwice(found) && found.peers.every(({ connection }) => connection === 'Connected')) {
      print(1, terminal.marks(`✓ ${words.bothUpToDate}\n`));
      return 'well';
    }
    const syncing = found?.peers
      .flatMap(({ volumes }) => volumes)
      .find(({ replication }) => /^Sync/.test(replication));
    const left = syncing?.leftSeconds ?? null;
    const line = syncing
      ? `${syncing.donePercent ?? '?'} %, ${say(words.left, { left: left === null ? '?' : duration(left) })}`
      : (found?.peers.map(({ connection }) => connection).join(', ') ?? words.waitingForCopy);
    if (line !== told) print(2, `${line}\n`);
    told = line;
  }
  return 'halfway';
}
