import type { Call } from '../command.ts';
import { CommandError, type Ending, exitStatus } from '../exit.ts';
import type { Period } from '../facts/drbd.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { askNode } from '../facts/other-node.ts';
import { drbdSetup } from '../facts/setup.ts';
import { findingsNow } from '../findings/now.ts';
import { envelope } from '../output/json.ts';
import { type Narrate, narrator } from '../output/narration.ts';
import { print, printLines } from '../output/print.ts';
import { harmless, table } from '../output/terminal.ts';
import { amount, clock } from '../output/units.ts';
import { say, type Words, wordsIn } from '../output/words.ts';
import { shellLine } from '../stack.ts';
import { atWork, requireRoot } from './change.ts';
import {
  dropSnapshots,
  requireUnused,
  resourceIn,
  snapshotHere,
  snapshotPath,
  stampOf,
  tellSnapshots,
} from './discard.ts';
import { connectionHere, discardLine, linesOf, reunite } from './reunite.ts';
import {
  believedRole,
  nameless,
  ownOf,
  proposal,
  type Side,
  type Split,
  splitsOnBoth,
  type Unmet,
} from './sides.ts';

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
    const ending = found.length > 0 ? 'broken' : unmet.length > 0 ? 'attention' : 'well';
    const data = { splits: found.map(dataOf), unmet: unmet.map(unmetData) };
    const level = exitStatus[ending];
    print(1, `${JSON.stringify(envelope({ kind: 'split-brain', time, node, findings, data, level }))}\n`);
    return ending;
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
  if (!split || others.length > 0)
    throw new CommandError(
      'unknown',
      words.whichResource,
      found.map((one) => harmless(shellLine(['tsha', 'split-brain', connectionHere(one)]))),
    );
  return discard(call, facts, split, options, narrate);
}

/** No split brain is known: that is peace only where the two are connected. */
function none(unmet: readonly Unmet[], wanted: string | null, narrate: Narrate, words: Words): Ending {
  const ending = unmet.length > 0 ? 'attention' : 'well';
  const peace = wanted === null ? words.noSplit : say(words.noSplitOf, { resource: harmless(wanted) });
  narrate('nothing', unmet.length > 0 ? unmet.flatMap((one) => unmetLines(one, words)) : [peace], {}, ending);
  return ending;
}

/** Why nobody knows, and what leads on. */
function unmetLines({ connection, peer, standsAlone, there }: Unmet, words: Words): readonly string[] {
  const name = shellLine([connection]);
  const is = { resource: connection, node: peer };
  const asked = there.is === 'unknown' ? [`  ${say(words.notAsked, { node: peer, why: there.why })}`] : [];
  const lines =
    there.is === 'known' && there.value === 'StandAlone' && !standsAlone
      ? [say(words.aloneThere, is), `  → drbdadm connect ${shellLine([resourceIn(connection)])}   # ${peer}`]
      : standsAlone
        ? [say(words.aloneUntold, is), ...asked, `  → drbdadm connect ${name}`]
        : there.is === 'known'
          ? [say(words.notMetEither, is)]
          : [say(words.notMetYet, is), ...asked, `  → tsha split-brain ${name}   # ${peer}`];
  return lines.map(harmless);
}

const unmetData = ({ connection, peer, standsAlone, there }: Unmet) => ({
  ...{ connection, peer, standsAlone },
  otherKnowsOfNone: there.is === 'known',
});

const isoOf = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : new Date(at).toISOString();

/** `vg0/nfs`, of several volumes joined; null where a disk below is no logical volume; undefined when nobody could tell. */
function logicalVolumes(side: Side): string | null | undefined {
  const disks = ownOf(side)?.disks;
  if (!disks) return undefined;
  if (disks.some(({ why }) => why !== undefined)) return undefined;
  const names = disks.map(({ lv }) => lv && `${lv.vg}/${lv.name}`);
  return names.length === 0 || names.includes(null) ? null : names.join(', ');
}

const dataOf = ({ resource, sides, foundAt }: Split) => ({
  resource,
  foundAt: isoOf(foundAt),
  sides: sides.map((side) => ({
    node: side.host,
    isHere: side.isHere,
    role: side.role,
    changedKiB: side.changedKiB,
    generation: side.generation,
    primaryFrom: isoOf(ownOf(side)?.lastPrimary?.from),
    primaryUntil: isoOf(ownOf(side)?.lastPrimary?.until),
    wayBack: logicalVolumes(side) ?? null,
  })),
  proposedVictim: proposal(sides)?.host ?? null,
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
  const row = (label: string, value: (side: Side) => string) => [
    '',
    label,
    ...sides.map((side) => harmless(value(side))),
  ];
  const victim = proposal(sides);
  const keeper = sides.find((side) => side !== victim);
  const unsure = sides.find(({ role }) => role !== 'Primary' && role !== 'Secondary');
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
      ? [say(words.proposal, { keeper: harmless(keeper.node) }), `  → ${discardLine(split, victim)}`]
      : [unsure ? harmless(say(words.roleUnknown, { node: unsure.node })) : words.noProposal]),
  ];
}

async function discard(
  call: Call,
  facts: Facts,
  split: Split,
  options: SplitBrainOptions,
  narrate: Narrate,
): Promise<Ending> {
  const words = wordsIn(call.terminal.language);
  const { sides } = split;
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
  await requireNoPolicy(call, split, victim, survivor);
  const commands = linesOf(split, victim, survivor);
  const ways = { from: victim.node, to: survivor.node, commands: [...commands] };
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
      [discardLine(split, victim)],
    );
  requireRoot(call);
  return atWork(call, discardLine(split, victim), async () => {
    const both = { victim, survivor };
    if (!options.snapshot) return reunite(call, split, both, narrate);
    const snapshots = snapshotsOf(call, victim, words);
    await takeSnapshot(call, split, victim, snapshots, narrate, words);
    // what may have been given up is in them
    const onInterrupt: Call['onInterrupt'] = (work) =>
      call.onInterrupt(async () => {
        const left = (await work()) ?? undefined;
        if (left !== undefined) snapshots.isKept = true;
        return left;
      });
    return reunite({ ...call, onInterrupt }, split, both, narrate);
  });
}

type Snapshots = { readonly stamp: string; readonly begun: string[]; isKept: boolean };

/** Those of this command: an interruption takes them away, unless something may have been given up. */
function snapshotsOf(call: Call, { node, isHere }: Side, words: Words): Snapshots {
  const snapshots: Snapshots = { stamp: stampOf(new Date()), begun: [], isKept: false };
  call.onInterrupt(async () => {
    const { begun, isKept } = snapshots;
    const left = isKept || !isHere ? begun : await dropSnapshots(call.host, begun);
    return tellSnapshots(left, node, words);
  });
  return snapshots;
}

async function takeSnapshot(
  call: Call,
  split: Split,
  victim: Side,
  { stamp, begun }: Snapshots,
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
    told(await snapshotHere(call.host, split.resource, { node, changedKiB, stamp, begun }, words));
    return;
  }
  const no = (why: string) => new CommandError('broken', say(words.noSnapshot, { node, why }));
  if (victim.host === null) throw no(nameless);
  const disks = ownOf(victim)?.disks ?? [];
  // ssh tells nobody there that it was ended: they may be made all the same
  begun.push(...disks.flatMap(({ lv }) => (lv ? snapshotPath(lv, stamp) : [])));
  const wish = [split.resource, `--stamp=${stamp}`, ...(changedKiB === null ? [] : [`--kib=${changedKiB}`])];
  const answer = await askNode(call.host, victim.host, 'snapshot', wish, 150_000);
  if (answer.is !== 'answered' && answer.mayStand && begun.length > 0) {
    tellSnapshots(begun, node, words);
    throw new CommandError('halfway', say(words.snapshotUnknown, { node, why: answer.why }));
  }
  if (answer.is !== 'answered') throw no(answer.why);
  const paths = answer.text.split('\n').filter((line) => line.startsWith('/'));
  begun.splice(0, begun.length, ...paths);
  told(paths);
}

/**
 * DRBD 8.4, and 9 with an older peer, look at the after-sb policies before they look at `--discard-my-data`: one that would decide is not
 * given the chance to decide otherwise. Only a victim that is Secondary comes so far.
 */
async function requireNoPolicy(
  { host, terminal }: Call,
  split: Split,
  victim: Side,
  survivor: Side,
): Promise<void> {
  const { resource } = split;
  const { discarding } = await drbdSetup(host, resource);
  const policy = discarding.find((one) => wouldDecide(one, survivor));
  if (policy === undefined) return;
  throw new CommandError('broken', say(wordsIn(terminal.language).policyDecides, { policy, resource }), [
    `# on both nodes, in net of ${resource}: after-sb-0pri disconnect; after-sb-1pri disconnect;`,
    discardLine(split, victim),
  ]);
}

/** `policy` as `after-sb-1pri consensus`. With one Primary, the others give up the Secondary or nobody. */
export function wouldDecide(policy: string, { role, changedKiB }: Side): boolean {
  const [option, name = ''] = policy.split(' ');
  const isPrimary = role === 'Primary';
  if (option === 'after-sb-0pri' && !isPrimary)
    return name !== 'disconnect' && !(name === 'discard-zero-changes' && (changedKiB ?? 0) > 0);
  if (option === 'after-sb-1pri' && role !== 'Secondary')
    return /^(violently-as0p|call-pri-lost-after-sb)$/.test(name);
  return false;
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
