import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { lookAtDrbd, type Period } from '../facts/drbd.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import { askNode } from '../facts/other-node.ts';
import { isTwice } from '../facts/service.ts';
import { findingsNow } from '../findings/now.ts';
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
  hangUpHere,
  requireUnused,
  snapshotHere,
  survivorCommands,
  takeBack,
  victimCommands,
} from './discard.ts';
import { believedRole, ownOf, proposal, type Side, type Split, splitsOnBoth, type Unmet } from './sides.ts';

export type SplitBrainOptions = {
  readonly resource: string | null;
  readonly discard: string | null;
  readonly confirm: string | null;
  /** A snapshot of the victim's disk before. */
  readonly snapshot: boolean;
  readonly dryRun: boolean;
};

/**
 * `tsha split-brain [RESOURCE]`: both sides of a split brain, and a proposal. Changes nothing unless it is told whose changes to give up,
 * twice: `--discard=beta --confirm=beta`.
 */
export async function splitBrain(call: Call, options: SplitBrainOptions): Promise<Ending> {
  const facts = await gather(call.host, Date.now());
  if (facts.drbd.is === 'unknown') throw new CommandError('unknown', facts.drbd.why);
  const { splits: found, unmet } = await splitsOnBoth(call, facts, options.resource);
  const words = wordsIn(call.terminal.language);
  if (call.json && options.discard === null) {
    const { time, node } = facts;
    const findings = findingsNow(facts).filter(({ code }) => code === 'SPLIT_BRAIN');
    print(
      1,
      `${JSON.stringify(envelope({ kind: 'split-brain', time, node, findings, data: { splits: found.map(dataOf) } }))}\n`,
    );
    return found.length > 0 ? 'broken' : unmet.length > 0 ? 'attention' : 'well';
  }
  const narrate = narrator(call, 'split-brain-repair', facts.node);
  if (found.length === 0) return none(unmet, options.resource, narrate, words);
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

/** No split brain is known: that is peace only where the two are connected. */
function none(unmet: readonly Unmet[], wanted: string | null, narrate: Narrate, words: Words): Ending {
  const names = (some: readonly Unmet[]) =>
    harmless([...new Set(some.map(({ resource }) => resource))].join(', '));
  const alone = unmet.filter(({ standsAlone }) => standsAlone);
  if (alone.length > 0)
    throw new CommandError('unknown', say(words.aloneUntold, { resource: names(alone) }), [
      `drbdadm connect ${shellLine([alone[0]?.resource ?? ''])}`,
    ]);
  if (unmet.length === 0) {
    const line = wanted === null ? words.noSplit : say(words.noSplitOf, { resource: harmless(wanted) });
    narrate('nothing', [line], {}, 'well');
    return 'well';
  }
  const unasked = unmet.flatMap(({ resource, there }) =>
    there.is === 'unknown' ? [{ resource, why: there.why }] : [],
  );
  const [first] = unasked;
  const lines = first
    ? [
        say(words.notMetYet, { resource: names(unmet) }),
        `  ${harmless(say(words.otherUnasked, { why: first.why }))}`,
        `  → tsha split-brain ${harmless(shellLine([first.resource]))}   # on the other node`,
      ]
    : [say(words.notMetEither, { resource: names(unmet) })];
  narrate('nothing', lines, {}, 'attention');
  return 'attention';
}

const discardLine = (resource: string, { node }: Side): string =>
  harmless(shellLine(['tsha', 'split-brain', resource, `--discard=${node}`, `--confirm=${node}`]));

const isoOf = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : new Date(at).toISOString();

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
      ? [say(words.proposal, { keeper: harmless(keeper.node) }), `  → ${discardLine(resource, victim)}`]
      : [words.noProposal]),
  ];
}

const syncsWithinMs = 6 * 3_600_000;
const againMs = 3000;

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
      [discardLine(resource, victim)],
    );
  requireRoot(call);
  return atWork(call, discardLine(resource, victim), async () => {
    if (options.snapshot) await takeSnapshot(call, split, victim, narrate, words);
    await repair(call, split, { victim, survivor }, narrate, words);
    const keepsTrying = survivor.isHere ? ofSurvivor : null;
    return followResync(call, resource, keepsTrying, narrate);
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
    // who still waits would meet the other side, and be parted from it, before it has said that it gives up
    await hangUpHere(host, ofVictim);
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

/**
 * Until both copies are UpToDate. Whatever ends this waiting, DRBD goes on by itself. `keepsTrying` is the connection of the side that stays,
 * where that is here: a victim that was already waiting is met before it has been told to give up, and DRBD parts the two again.
 */
async function followResync(
  call: Call,
  resource: string,
  keepsTrying: string | null,
  narrate: Narrate,
): Promise<Ending> {
  const { sys, host, terminal } = call;
  const words = wordsIn(terminal.language);
  const end = sys.now() + syncsWithinMs;
  let tryAt = sys.now() + againMs;
  for (let told = ''; sys.now() < end; await sys.sleep(500)) {
    if (keepsTrying !== null && sys.now() >= tryAt) {
      await connectHere(host, keepsTrying, words);
      tryAt = sys.now() + againMs;
    }
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
