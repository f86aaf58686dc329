import { wordsOf } from '../../lib/contract/reason.ts';
import type { Call } from '../command.ts';
import { agreed, type Proposal, requireRoot } from '../commands/change.ts';
import { exportPrefix } from '../configuration/pair.ts';
import { configurationFile, readPair } from '../configuration/read.ts';
import { CommandError, type Ending } from '../exit.ts';
import { readCib } from '../facts/cib.ts';
import { cibText } from '../facts/cib-text.ts';
import { type FailedAction, lookAtCluster } from '../facts/cluster.ts';
import { nameOf } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import { type Element, parseXml } from '../facts/xml.ts';
import { print, printLines } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { type Resource, type Wanted, wantedOf } from '../plan/cluster.ts';
import { callAgent } from './exports-ahead.ts';
import { followUntilRunning } from './follow.ts';
import { type Change, merge } from './merge.ts';
import { nfsConfTrouble } from './nfs-conf.ts';
import { requireSameNodes } from './same-nodes.ts';
import { applyWords } from './words.ts';
import {
  type Action,
  complaints,
  patchFor,
  push,
  simulated,
  textOf,
  versionOf,
  withDrafts,
  write,
} from './workshop.ts';

export type ApplyOptions = {
  readonly config: string | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
};

/** What a look at the cluster gives: what differs from the file, and how that would be without. */
type Look = {
  readonly cib: Element;
  readonly next: Element;
  readonly changes: readonly Change[];
};

/** What is to be done, and with which cluster in mind. */
type Draft = {
  readonly wanted: Wanted;
  readonly prefix: string;
  readonly version: string;
  readonly changes: readonly Change[];
  /** What Pacemaker will do. */
  readonly actions: readonly Action[];
  /** Where the NFS server of the pair runs now. */
  readonly home: string | null;
  /** Exports to serve here before the cluster hears of them. */
  readonly ahead: readonly Resource[];
  /** Exports that would interrupt nobody were they served ahead, on the node that this is not. */
  readonly isBetterThere: boolean;
  readonly failures: readonly FailedAction[];
};

/**
 * `tsha apply`: makes the cluster what the file says, in one transaction, and waits until all of it runs. With CIB_file set, as Pacemaker's
 * own tools take it, that file is the cluster, and nothing is waited for.
 */
export async function apply(call: Call, options: ApplyOptions): Promise<Ending> {
  const { language } = call.terminal;
  const words = applyWords(language);
  const file = options.config ?? configurationFile;
  const pair = readPair(file, language);
  const wanted = wantedOf(pair);
  const prefix = exportPrefix(pair.name);
  const look = async (): Promise<Look> => {
    const cib = parseXml(await cibText(call.host));
    requireSameNodes(cib, pair, language);
    const { cib: next, changes } = merge(cib, wanted, prefix);
    return { cib, next, changes };
  };
  return await withDrafts(call, async (folder) => {
    const [first, nfsConf] = [await look(), await nfsConfTrouble(call, pair)];
    if (first.changes.length === 0) {
      const isWell = nfsConf.length === 0;
      print(1, `${say(isWell ? words.same : words.sameCluster, { file: harmless(file) })}\n`);
      printLines(nfsConf);
      const off = switchedOff(first.cib, wanted);
      if (off.length === 0) return isWell ? 'well' : 'attention';
      print(1, call.terminal.marks(`! ${say(words.switchedOff, { ids: off.map(harmless).join(', ') })}\n`));
      for (const id of off)
        print(1, `${harmless(`  → crm_resource --resource ${id} --meta --delete-parameter target-role`)}\n`);
      return 'attention';
    }
    printLines([
      say(words.difference, { file: harmless(file) }),
      ...first.changes.map(({ kind, id, what }) => `  ${kind} ${harmless(id)}  ${harmless(what)}`),
    ]);
    const plan = await draftFor(call, folder, wanted, prefix, first);
    tellOutcome(call, plan);
    printLines(nfsConf);
    if (options.dryRun) return 'attention';
    requireRoot(call);
    const proposal: Proposal<Draft> = {
      ...{ question: words.question, yes: options.yes, what: 'tsha apply', plan },
      again: async () => draftFor(call, folder, wanted, prefix, await look()),
      keyOf: ({ version, changes, actions, ahead, home }) => [
        ...[version, changes, home],
        interruptions(actions).map(({ action, resource, node }) => [action, resource, node]),
        ahead.map(({ id }) => id),
      ],
    };
    return await agreed(call, proposal, (draft) => carryOut(call, folder, draft));
  });
}

/** What somebody has switched off of it, as `tsha remove` that was broken off does. */
function switchedOff(cib: Element, { clone, group, resources }: Wanted): readonly string[] {
  const { clones, groups, primitives } = readCib(cib);
  const isOff = new Set(
    [...clones, ...groups, ...primitives]
      .filter(({ meta }) => meta['target-role'] === 'Stopped')
      .map(({ id }) => id),
  );
  return [clone, group, ...resources].map(({ id }) => id).filter((id) => isOff.has(id));
}

const interrupting: readonly string[] = [
  'stop',
  'restart',
  'move',
  'demote',
  'recover',
  'migrate',
  'stop_remain',
];
const interruptions = (actions: readonly Action[]) =>
  actions.filter(({ action }) => interrupting.includes(action));

/** Plays it through. Throws `CommandError` where Pacemaker would not take it. */
async function draftFor(
  call: Call,
  folder: string,
  wanted: Wanted,
  prefix: string,
  { cib, next, changes }: Look,
): Promise<Draft> {
  const { host, terminal } = call;
  const file = write(folder, 'new.xml', textOf(next));
  const against = await complaints(host, folder, next);
  if (against.length > 0)
    throw new CommandError(
      'broken',
      say(applyWords(terminal.language).notVerified, { why: against.map(harmless).join('; ') }),
    );
  const actions = await simulated(host, folder, file);
  const added = wanted.resources.filter(
    ({ id, agent }) => agent === 'exportfs' && changes.some((one) => one.kind === '+' && one.id === id),
  );
  const cluster = await tryToKnow(() => lookAtCluster(host));
  const home = cluster.is === 'known' ? placeOf(cluster.value.instances, wanted) : null;
  const draft: Draft = {
    ...{ wanted, prefix, version: versionOf(cib), changes, actions, home },
    ...{ ahead: [], isBetterThere: false },
    failures: cluster.is === 'known' ? cluster.value.failures : [],
  };
  if (interruptions(actions).length === 0 || added.length === 0 || home === null) return draft;
  const quiet = await simulated(
    host,
    folder,
    file,
    added.map(({ id }) => ({ id, node: home })),
  );
  if (interruptions(quiet).length >= interruptions(actions).length) return draft;
  return home === (await nameOf(host, Promise.resolve(cluster)))
    ? { ...draft, actions: quiet, ahead: added }
    : { ...draft, isBetterThere: true };
}

/** Says what Pacemaker will do. */
function tellOutcome(call: Call, { wanted, changes, actions, home, ahead, isBetterThere }: Draft): void {
  const words = applyWords(call.terminal.language);
  const stopped = interruptions(actions);
  const isOtherAgent = changes.some(({ kind, what }) => kind === '~' && /^ocf:\S+ → ocf:/.test(what));
  const to = wanted.resources.some(({ type }) => type.startsWith('ocf:tsha:')) ? 'tsha' : 'stock';
  const remarks = [
    ...(ahead.length > 0 ? [words.ahead] : []),
    ...(isBetterThere ? [`→ ${say(words.elsewhere, { node: harmless(home ?? '') })}`] : []),
    ...(stopped.length > 0 && isOtherAgent ? [`→ ${say(words.migrateInstead, { to })}`] : []),
  ];
  printLines([
    ...(actions.length > 0 ? [words.willDo] : []),
    ...actions.map(({ action, resource, node, reason }) =>
      harmless(
        `  ${action} ${resource}${node === '' ? '' : ` (${node})`}${reason === '' ? '' : `: ${reason}`}`,
      ),
    ),
    stopped.length === 0
      ? words.nothingMoves
      : call.terminal.paint.bad(
          say(words.interrupts, {
            resources: harmless(
              [...new Set(stopped.map(({ action, resource }) => `${action} ${resource}`))].join(', '),
            ),
          }),
        ),
    ...remarks.map((line) => call.terminal.marks(line)),
  ]);
}

/** Where the NFS server of the pair runs. */
const placeOf = (
  instances: readonly { readonly id: string; readonly active: boolean; readonly node: string | null }[],
  { resources }: Wanted,
): string | null => {
  const server = resources.find(({ agent }) => agent === 'nfsserver')?.id;
  return instances.find(({ id, active }) => id === server && active)?.node ?? null;
};

async function carryOut(call: Call, folder: string, draft: Draft): Promise<Ending> {
  const { host, terminal } = call;
  const words = applyWords(terminal.language);
  const served: Resource[] = [];
  let step: 'ahead' | 'pushing' | 'pushed' = 'ahead';
  /** What could not be taken back. */
  const takeBack = async (): Promise<readonly string[]> => {
    const left: string[] = [];
    for (const one of served.splice(0).reverse()) {
      const why = await callAgent(host, one, 'stop');
      if (why !== null) left.push(harmless(say(words.stillServed, { id: one.id, why })));
    }
    return left;
  };
  call.onInterrupt(async () => {
    // the cluster may have taken what it was sent, and serves these exports from then on
    const taken = step === 'pushing' ? await isTaken(call, draft) : step === 'pushed';
    if (taken === false) {
      const left = await takeBack();
      for (const line of left) print(2, `${say(words.interrupted, { why: line })}\n`);
      return left.length > 0 ? 'halfway' : undefined;
    }
    const notKnown = say(words.notKnownWhether, { why: words.unanswered });
    print(
      2,
      terminal.marks(
        `${taken === null ? say(words.interrupted, { why: notKnown }) : words.interruptedTaken}\n  → tsha status\n`,
      ),
    );
    return 'halfway';
  });
  try {
    for (const one of draft.ahead) {
      served.push(one);
      const why = await callAgent(host, one, 'start');
      if (why !== null)
        throw new CommandError('broken', say(words.notServed, { id: one.id, why: harmless(why) }));
    }
    step = 'pushing';
    await pushUnchanged(call, folder, draft);
    step = 'pushed';
  } catch (error) {
    if (error instanceof CommandError && error.ending === 'halfway') throw error;
    const left = await takeBack();
    if (left.length === 0) throw error;
    const why = error instanceof Error ? error.message : wordsOf(error);
    throw new CommandError('halfway', [why, ...left].join('; '), ['tsha status']);
  }
  print(1, terminal.marks(`✓ ${words.applied}\n`));
  if (call.sys.env['CIB_file']) return 'well';
  return await followUntilRunning(call, draft.wanted, draft.failures);
}

/** Whether the cluster has what it was sent, a moment later; null where it does not say. */
async function isTaken({ host, sys }: Call, { wanted, prefix }: Draft): Promise<boolean | null> {
  await sys.sleep(1000);
  const now = await tryToKnow(() => cibText(host));
  return now.is === 'known' ? merge(parseXml(now.value), wanted, prefix).changes.length === 0 : null;
}

const mostTries = 20;
/** Each has its half a minute. */
const mostUnanswered = 3;

/**
 * Pushes the difference, bound to the version of the CIB that it was made of. Where only the status has changed since, a new one is made; a
 * change of the configuration by somebody else ends it.
 */
async function pushUnchanged(
  call: Call,
  folder: string,
  { wanted, prefix, version, changes }: Draft,
): Promise<void> {
  const words = applyWords(call.terminal.language);
  const { host } = call;
  const own = [
    ...wanted.resources.map(({ id }) => id),
    ...[wanted.clone, wanted.group, wanted.colocation, wanted.order].map(({ id }) => id),
    ...(wanted.alert ? [wanted.alert.id] : []),
    ...changes.map(({ id }) => id),
  ];
  let unanswered = 0;
  const notKnown = (why: string) =>
    new CommandError('halfway', say(words.notKnownWhether, { why: harmless(why) }), [
      'tsha status',
      'tsha apply',
    ]);
  for (let tries = 0; tries < mostTries && unanswered < mostUnanswered; tries++) {
    const now = await tryToKnow(() => cibText(host));
    if (now.is === 'unknown') {
      if (unanswered > 0) throw notKnown(now.why);
      throw new CommandError('unknown', now.why);
    }
    const text = now.value;
    const cib = parseXml(text);
    const { cib: next, changes: left } = merge(cib, wanted, prefix);
    if (left.length === 0) return;
    if (versionOf(cib) !== version)
      throw new CommandError('broken', words.changedMeanwhile, ['tsha apply -n']);
    const patch = await patchFor(host, folder, cib, next, own);
    await requireLeadsThere(call, write(folder, 'queried.xml', text), patch, wanted, prefix);
    const answer = await push(host, patch);
    if (answer === 'taken') return;
    if (answer === 'unanswered') unanswered++;
  }
  if (unanswered > 0) throw notKnown(words.unanswered);
  throw new CommandError('broken', words.busy, ['tsha apply']);
}

/** The patch on what the cluster gave, comments and all, gives what the file says. */
async function requireLeadsThere(
  call: Call,
  cib: string,
  patch: string,
  wanted: Wanted,
  prefix: string,
): Promise<void> {
  const answer = await call.host.tryRun(['crm_diff', '--original', cib, '--patch', patch], {
    timeoutMs: 30_000,
  });
  const isSo = answer.code === 0 && merge(parseXml(answer.stdout), wanted, prefix).changes.length === 0;
  if (!isSo) throw new CommandError('broken', applyWords(call.terminal.language).mismatch);
}
