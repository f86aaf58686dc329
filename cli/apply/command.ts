import type { Call } from '../command.ts';
import { approve, atWork, requireRoot } from '../commands/change.ts';
import { exportPrefix } from '../configuration/pair.ts';
import { configurationFile, readPair } from '../configuration/read.ts';
import { CommandError, type Ending } from '../exit.ts';
import { readCib } from '../facts/cib.ts';
import { cibText } from '../facts/cib-text.ts';
import { lookAtCluster } from '../facts/cluster.ts';
import { gather } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import { type Element, parseXml } from '../facts/xml.ts';
import { print, printLines } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { type Resource, type Wanted, wantedOf } from '../plan/cluster.ts';
import { callAgent } from './exports-ahead.ts';
import { followUntilRunning } from './follow.ts';
import { type Change, merge } from './merge.ts';
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

/** What is to be done, and with which CIB in mind. */
type Draft = {
  readonly wanted: Wanted;
  readonly prefix: string;
  readonly version: string;
  readonly changes: readonly Change[];
  /** Exports to serve here before the cluster hears of them. */
  readonly ahead: readonly Resource[];
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
  return await withDrafts(call, async (folder) => {
    const text = await cibText(call.host);
    const cib = parseXml(text);
    requireSameNodes(cib, pair, language);
    const prefix = exportPrefix(pair.name);
    const { cib: next, changes } = merge(cib, wanted, prefix);
    if (changes.length === 0) {
      print(1, `${say(words.same, { file: harmless(file) })}\n`);
      const off = switchedOff(cib, wanted);
      if (off.length === 0) return 'well';
      print(1, call.terminal.marks(`! ${say(words.switchedOff, { ids: off.map(harmless).join(', ') })}\n`));
      for (const id of off)
        print(1, `${harmless(`  → crm_resource --resource ${id} --meta --delete-parameter target-role`)}\n`);
      return 'attention';
    }
    printLines([
      say(words.difference, { file: harmless(file) }),
      ...changes.map(({ kind, id, what }) => `  ${kind} ${harmless(id)}  ${harmless(what)}`),
    ]);
    const draft = write(folder, 'new.xml', textOf(next));
    const against = await complaints(call.host, folder, next);
    if (against.length > 0)
      throw new CommandError('broken', say(words.notVerified, { why: against.map(harmless).join('; ') }));
    const ahead = await tellOutcome(call, folder, draft, wanted, changes);
    if (options.dryRun) return 'attention';
    requireRoot(call);
    if (!options.yes) await approve(call, words.question);
    const plan: Draft = { wanted, prefix, version: versionOf(cib), changes, ahead };
    return await atWork(call, 'tsha apply', () => carryOut(call, folder, plan));
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

/** Says what Pacemaker will do; the exports that are better served before it hears of them. */
async function tellOutcome(
  call: Call,
  folder: string,
  draft: string,
  wanted: Wanted,
  changes: readonly Change[],
): Promise<readonly Resource[]> {
  const words = applyWords(call.terminal.language);
  const { host } = call;
  let actions = await simulated(host, folder, draft);
  const added = wanted.resources.filter(
    ({ id, agent }) => agent === 'exportfs' && changes.some((one) => one.kind === '+' && one.id === id),
  );
  let ahead: readonly Resource[] = [];
  const remarks: string[] = [];
  if (interruptions(actions).length > 0 && added.length > 0) {
    const facts = await gather(host, Date.now());
    const home = facts.cluster.is === 'known' ? placeOf(facts.cluster.value.instances, wanted) : null;
    const quiet =
      home === null
        ? actions
        : await simulated(
            host,
            folder,
            draft,
            added.map(({ id }) => ({ id, node: home })),
          );
    if (home !== null && interruptions(quiet).length < interruptions(actions).length) {
      if (home === facts.node) {
        actions = quiet;
        ahead = added;
        remarks.push(words.ahead);
      } else remarks.push(`→ ${say(words.elsewhere, { node: harmless(home) })}`);
    }
  }
  const stopped = interruptions(actions);
  const isOtherAgent = changes.some(({ kind, what }) => kind === '~' && /^ocf:\S+ → ocf:/.test(what));
  if (stopped.length > 0 && isOtherAgent) {
    const to = wanted.resources.some(({ type }) => type.startsWith('ocf:tsha:')) ? 'tsha' : 'stock';
    remarks.push(`→ ${say(words.migrateInstead, { to })}`);
  }
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
  return ahead;
}

/** Where the NFS server of the pair runs now. */
const placeOf = (
  instances: readonly { readonly id: string; readonly active: boolean; readonly node: string | null }[],
  { resources }: Wanted,
): string | null => {
  const server = resources.find(({ agent }) => agent === 'nfsserver')?.id;
  return instances.find(({ id, active }) => id === server && active)?.node ?? null;
};

async function carryOut(call: Call, folder: string, draft: Draft): Promise<Ending> {
  const words = applyWords(call.terminal.language);
  const served: Resource[] = [];
  let isPushing = false;
  const takeBack = async () => {
    for (const one of served.splice(0).reverse()) await callAgent(call.host, one, 'stop');
  };
  call.onInterrupt(async () => {
    // the cluster may have taken what it was sent, and serves these exports from then on
    if (!isPushing || (await isRefused(call, draft))) await takeBack();
  });
  try {
    for (const one of draft.ahead) {
      served.push(one);
      const why = await callAgent(call.host, one, 'start');
      if (why !== null)
        throw new CommandError('broken', say(words.notServed, { id: one.id, why: harmless(why) }));
    }
    isPushing = true;
    await pushUnchanged(call, folder, draft);
  } catch (error) {
    if (!(error instanceof CommandError && error.ending === 'halfway')) await takeBack();
    throw error;
  }
  served.length = 0;
  print(1, call.terminal.marks(`✓ ${words.applied}\n`));
  if (call.sys.env['CIB_file']) return 'well';
  const { maintenance } = await lookAtCluster(call.host);
  if (maintenance) {
    print(1, call.terminal.marks(`! ${words.inMaintenance}\n`));
    return 'attention';
  }
  return await followUntilRunning(call, draft.wanted);
}

/** Whether the cluster is certainly without what it was sent, a moment later. */
async function isRefused({ host, sys }: Call, { wanted, prefix }: Draft): Promise<boolean> {
  await sys.sleep(1000);
  const now = await tryToKnow(() => cibText(host));
  return now.is === 'known' && merge(parseXml(now.value), wanted, prefix).changes.length > 0;
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
