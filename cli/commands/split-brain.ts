import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import type { Cluster } from '../facts/cluster.ts';
import { type DrbdResource, lookAtDrbd, type Peer, type Period } from '../facts/drbd.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { type Known, tryToKnow } from '../facts/known.ts';
import { askNode, askSide } from '../facts/other-node.ts';
import { clusterRole, isTwice, replicated } from '../facts/service.ts';
import { lookAtSide, type SideFacts } from '../facts/side.ts';
import { findingsNow, peerName } from '../findings/now.ts';
import { envelope } from '../output/json.ts';
import { type Narrate, narrator } from '../output/narration.ts';
import { print, printLines } from '../output/print.ts';
import { harmless, table } from '../output/terminal.ts';
import { amount, clock, duration } from '../output/units.ts';
import { say, type Words, wordsIn } from '../output/words.ts';
import { shellLine } from '../stack.ts';
import { atWork, requireRoot } from './change.ts';
import {
  connectHere,
  discardHere,
  requireUnused,
  snapshotHere,
  survivorCommands,
  takeBack,
  victimCommands,
} from './discard.ts';

export type SplitBrainOptions = {
  readonly resource: string | null;
  readonly discard: string | null;
  readonly confirm: string | null;
  /** A snapshot of the victim's disk before. */
  readonly snapshot: boolean;
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
  /** What the node tells of itself, if it was asked. */
  readonly own: Known<SideFacts> | null;
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
  const found = await Promise.all(splitsIn(facts, options.resource).map((split) => withOwn(call, split)));
  const words = wordsIn(call.terminal.language);
  const unmet = notConnected(facts, options.resource);
  const isUnmet = unmet.length > 0;
  if (call.json && options.discard === null) {
    const { time, node } = facts;
    const findings = findingsNow(facts).filter(({ code }) => code === 'SPLIT_BRAIN');
    print(
      1,
      `${JSON.stringify(envelope({ kind: 'split-brain', time, node, findings, data: { splits: found.map(dataOf) } }))}\n`,
    );
    return found.length > 0 ? 'broken' : isUnmet ? 'attention' : 'well';
  }
  const narrate = narrator(call, 'split-brain-repair', facts.node);
  const alone = standingAlone(facts, options.resource);
  if (found.length === 0 && alone.length > 0)
    throw new CommandError('unknown', say(words.aloneUntold, { resource: harmless(alone.join(', ')) }), [
      `drbdadm connect ${alone[0]}`,
    ]);
  if (found.length === 0) {
    const { resource } = options;
    const ending = isUnmet ? 'attention' : 'well';
    narrate(
      'nothing',
      [
        isUnmet
          ? say(words.notMetYet, { resource: harmless(unmet.join(', ')) })
          : resource === null
            ? words.noSplit
            : say(words.noSplitOf, { resource: harmless(resource) }),
        ...(isUnmet ? [`  → tsha split-brain ${shellLine([unmet[0] ?? ''])}   # on the other node`] : []),
      ],
      {},
      ending,
    );
    return ending;
  }
  if (!call.json)
    printLines(
      found.flatMap((split) => splitLines(split, facts, words)).map((line) => call.terminal.marks(line)),
    );
  if (options.discard === null) {
    print(1, `${words.nothingChanged}\n`);
    return 'broken';
  }
  const [split, ...others] = found;
  if (!split || others.length > 0) throw new CommandError('unknown', words.whichResource);
  return discard(call, facts, split, options, narrate);
}

/** With what each node tells of itself: this one by its kernel, the other one over ssh, if it lets us in. */
async function withOwn(call: Call, split: Split): Promise<Split> {
  const ask = async (side: Side): Promise<Side> => {
    const own = side.isHere
      ? await tryToKnow(() => lookAtSide(call.host, split.resource))
      : await askSide(call.host, side.node, [split.resource]);
    return { ...side, role: own.is === 'known' ? own.value.role : side.role, own };
  };
  const [one, other] = await Promise.all(split.sides.map(ask));
  return one && other ? { ...split, sides: [one, other] } : split;
}

const isoOf = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : new Date(at).toISOString();

const ownOf = ({ own }: Side): SideFacts | null => (own?.is === 'known' ? own.value : null);

/** `vg0/nfs`, of several volumes joined; null where a disk below is no logical volume; undefined when nobody could tell. */
function logicalVolumes(side: Side): string | null | undefined {
  const disks = ownOf(side)?.disks;
  if (!disks) return undefined;
  const names = disks.map(({ lv }) => lv && `${lv.vg}/${lv.name}`);
  return names.length === 0 || names.includes(null) ? null : names.join(', ');
}

const dataOf = ({ resource, sides, foundAt }: Split) => ({
  resource,
  foundAt: isoOf(foundAt),
  sides: sides.map((side) => ({
    node: side.node,
    isHere: side.isHere,
    role: side.role,
    changedKiB: side.changedKiB,
    generation: side.generation,
    primaryFrom: isoOf(ownOf(side)?.lastPrimary?.from),
    primaryUntil: isoOf(ownOf(side)?.lastPrimary?.until),
    wayBack: logicalVolumes(side) ?? null,
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

const resourcesWith = (
  { drbd }: Facts,
  wanted: string | null,
  isSo: (connection: string) => boolean,
): readonly string[] =>
  (drbd.is === 'known' ? drbd.value.resources : [])
    .filter(
      ({ name, peers }) =>
        (wanted === null || name === wanted) && peers.some(({ connection }) => isSo(connection)),
    )
    .map(({ name }) => name);

/** Resources with a connection that stands alone, be it by hand or by a split brain that the log no longer tells. */
export const standingAlone = (facts: Facts, wanted: string | null): readonly string[] =>
  resourcesWith(facts, wanted, (connection) => connection === 'StandAlone');

/** DRBD 9 may leave one side of a split brain Connecting, and no node knows of one before it has met the other. */
export const notConnected = (facts: Facts, wanted: string | null): readonly string[] =>
  resourcesWith(facts, wanted, (connection) => connection !== 'Connected');

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
        own: null,
      },
      {
        node: other,
        isHere: false,
        role: cluster ? believedRole(cluster, resource.name, other) : null,
        changedKiB: split?.thereKiB ?? null,
        generation: split?.generationThere ?? null,
        own: null,
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

/** `Tue 21:14 – now`; a question mark for what nobody could tell. */
function periodOf(side: Side, time: number, words: Words): string {
  const own = ownOf(side);
  const period: Period | null = own?.lastPrimary ?? null;
  if (!period) return '?';
  const end = (at: number | null) => (at === null ? '?' : clock(at, time));
  const isNow = own?.role === 'Primary' && period.until === null;
  return `${end(period.from)} – ${isNow ? words.now : end(period.until)}`;
}

function wayBackOf(side: Side, words: Words): string {
  const volumes = logicalVolumes(side);
  if (volumes === undefined) return '?';
  return volumes === null ? words.noWayBack : say(words.snapshotPossible, { volume: volumes });
}

function splitLines(split: Split, { time }: Pick<Facts, 'time'>, words: Words): readonly string[] {
  const { sides, resource, foundAt } = split;
  const row = (label: string, value: (side: Side) => string) => ['', label, ...sides.map(value)];
  const victim = proposal(sides);
  const keeper = sides.find((side) => side !== victim);
  return [
    ...table([
      ['', harmless(resource), ...sides.map(({ node }) => harmless(node))],
      row(words.roleNow, ({ role }) => role ?? '?'),
      row(words.wasPrimary, (side) => periodOf(side, time, words)),
      row(words.changedAlone, ({ changedKiB }) =>
        changedKiB === null ? '?' : say(words.atMost, { amount: amount(changedKiB) }),
      ),
      row(words.generation, ({ generation }) => generation ?? '?'),
      row(words.wayBack, (side) => wayBackOf(side, words)),
    ]),
    ...sides.flatMap(({ node, own }) =>
      own?.is === 'unknown' ? [`  ${harmless(say(words.notAsked, { node, why: own.why }))}`] : [],
    ),
    ...(foundAt === null ? [] : [`  ${say(words.metAt, { when: clock(foundAt, time) })}`]),
    ...(victim && keeper
      ? [
          say(words.proposal, { keeper: harmless(keeper.node) }),
          `  → tsha split-brain ${resource} --discard=${victim.node} --confirm=${victim.node}`,
        ]
      : [words.noProposal]),
  ];
}

const syncsWithinMs = 6 * 3_600_000;

/** The connection as each side's drbdadm takes it: `resource:peer` where it is one of several. */
export function connectionsOf({ resource, sides, isOneOfSeveral }: Split, victim: string) {
  const survivor = sides.find((side) => side.node !== victim)?.node ?? '';
  const towards = (peer: string) => (isOneOfSeveral ? `${resource}:${peer}` : resource);
  return { ofVictim: towards(survivor), ofSurvivor: towards(victim) };
}

async function discard(
  call: Call,
  facts: Facts,
  split: Split,
  options: SplitBrainOptions,
  narrate: Narrate,
): Promise<Ending> {
  const words = wordsIn(call.terminal.language);
  const { resource, sides } = split;
  const victim = sides.find(({ node }) => node === options.discard);
  const survivor = sides.find((side) => side !== victim);
  if (!victim || !survivor)
    throw new CommandError(
      'unknown',
      say(words.noSide, {
        node: harmless(options.discard ?? ''),
        nodes: sides.map(({ node }) => node).join(', '),
      }),
    );
  await requireUnusedVictim(call, facts, split, victim);
  const { ofVictim, ofSurvivor } = connectionsOf(split, victim.node);
  const commands = [
    ...survivorCommands(ofSurvivor).map((argv) => `${survivor.node}: ${shellLine(argv)}`),
    ...victimCommands(ofVictim).map((argv) => `${victim.node}: ${shellLine(argv)}`),
  ];
  const ways = { from: victim.node, to: survivor.node, commands };
  narrate(
    'plan',
    [...commands.map((line) => `  ${line}`), ...(options.dryRun ? [words.nothingChanged] : [])],
    ways,
  );
  if (options.dryRun) return 'well';
  if (options.confirm !== victim.node)
    throw new CommandError(
      'broken',
      say(words.confirmNeeded, { node: victim.node, amount: amount(victim.changedKiB) }),
      [`tsha split-brain ${resource} --discard=${victim.node} --confirm=${victim.node}`],
    );
  requireRoot(call);
  const what = `tsha split-brain ${resource} --discard=${victim.node} --confirm=${victim.node}`;
  return atWork(call, what, async () => {
    if (options.snapshot) await takeSnapshot(call, split, victim, narrate, words);
    await repair(call, split, { victim, survivor }, narrate, words);
    return followResync(call, resource, narrate);
  });
}

/**
 * First the side that stays, then the one that gives up: whoever ends this in between finds two sides that are not connected, and nothing given
 * up. With the victim's `connect` it is decided; until DRBD has met the other side an interruption takes that back.
 */
async function repair(
  call: Call,
  split: Split,
  { victim, survivor }: { readonly victim: Side; readonly survivor: Side },
  narrate: Narrate,
  words: Words,
): Promise<void> {
  const { host } = call;
  const { ofVictim, ofSurvivor } = connectionsOf(split, victim.node);
  if (victim.isHere) {
    await there(call, survivor.node, 'connect', ofSurvivor, survivorCommands(ofSurvivor), narrate);
    call.onInterrupt(async () => {
      const text = (await takeBack(host, ofVictim)) ? words.discardCancelled : words.metAgain;
      print(2, `${say(text, { resource: split.resource })}\n`);
    });
    await discardHere(host, ofVictim, victim.node, words);
  } else {
    await connectHere(host, ofSurvivor, words);
    await there(call, victim.node, 'discard', ofVictim, victimCommands(ofVictim), narrate);
  }
}

/** By ssh where that is possible; else a person has to do it, and this command waits for the effect. */
async function there(
  call: Call,
  node: string,
  verb: 'connect' | 'discard',
  connection: string,
  byHand: readonly Argv[],
  narrate: Narrate,
): Promise<void> {
  const words = wordsIn(call.terminal.language);
  const answer = await askNode(call.host, node, verb, [connection], 60_000);
  if (answer.is === 'refused')
    throw new CommandError('broken', say(words.failedThere, { node, why: answer.why }), ['tsha status']);
  if (answer.is === 'unreachable') {
    const line = byHand.map((argv) => shellLine(argv)).join('; ');
    narrate('seen', [`${say(words.runThere, { node })} (${harmless(answer.why)})`, `  → ${line}`], {
      commands: [`${node}: ${line}`],
    });
  }
}

async function takeSnapshot(
  call: Call,
  split: Split,
  victim: Side,
  narrate: Narrate,
  words: Words,
): Promise<void> {
  const { node, isHere } = victim;
  const amounts = split.sides.map(({ changedKiB }) => changedKiB);
  const changedKiB = amounts.includes(null)
    ? null
    : amounts.reduce<number>((sum, one) => sum + (one ?? 0), 0);
  const told = (paths: readonly string[]) =>
    narrate(
      'seen',
      paths.map((device) => say(words.snapshotMade, { node, snapshot: device, device })),
      { from: node },
    );
  if (isHere) {
    told(await snapshotHere(call.host, split.resource, { node, changedKiB, at: new Date() }, words));
    return;
  }
  const answer = await askNode(
    call.host,
    node,
    'snapshot',
    [split.resource, ...(changedKiB === null ? [] : [`--kib=${changedKiB}`])],
    150_000,
  );
  if (answer.is !== 'answered')
    throw new CommandError('broken', say(words.noSnapshot, { node, why: answer.why }));
  told(answer.text.split('\n').filter((line) => line.startsWith('/')));
}

/** What is known of the victim without asking it to do anything; the node itself looks once more before it gives up anything. */
async function requireUnusedVictim(
  call: Call,
  { cluster }: Facts,
  { resource }: Split,
  victim: Side,
): Promise<void> {
  const words = wordsIn(call.terminal.language);
  const { node } = victim;
  if (victim.role === null) throw new CommandError('unknown', say(words.victimUnknown, { node }));
  const serves = cluster.is === 'known' && believedRole(cluster.value, resource, node) === 'Primary';
  const users = ownOf(victim)?.users ?? [];
  if (victim.role !== 'Secondary' || serves || users.length > 0)
    throw new CommandError(
      'broken',
      `${say(words.victimInUse, { node })}${users.length > 0 ? ` (${users.join('; ')})` : ''}`,
    );
  if (victim.isHere) await requireUnused(call.host, resource, node, words);
}

/** Until both copies are UpToDate. Whatever ends this waiting, DRBD goes on by itself. */
async function followResync(call: Call, resource: string, narrate: Narrate): Promise<Ending> {
  const { sys, host, terminal } = call;
  const words = wordsIn(terminal.language);
  const end = sys.now() + syncsWithinMs;
  for (let told = ''; sys.now() < end; await sys.sleep(500)) {
    const seen = await tryToKnow(() => lookAtDrbd(host));
    if (seen.is === 'unknown') continue;
    const found = seen.value.resources.find(({ name }) => name === resource);
    if (found && isTwice(found) && found.peers.every(({ connection }) => connection === 'Connected')) {
      narrate('done', [`✓ ${words.bothUpToDate}`], { secondCopy: true });
      return 'well';
    }
    const syncing = found?.peers
      .flatMap(({ volumes }) => volumes)
      .find(({ replication }) => /^Sync/.test(replication));
    const left = syncing?.leftSeconds ?? null;
    const line = syncing
      ? `${syncing.donePercent ?? '?'} %, ${say(words.left, { left: left === null ? '?' : duration(left) })}`
      : (found?.peers.map(({ connection }) => connection).join(', ') ?? words.waitingForCopy);
    if (line !== told && !call.json) print(2, `${terminal.marks(line)}\n`);
    told = line;
  }
  narrate('halfway', [words.waitingForCopy], { secondCopy: false }, 'halfway');
  return 'halfway';
}
