import { wordsOf } from '../../lib/contract/reason.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { requireSameNodes } from '../apply/same-nodes.ts';
import { patchFor, push, simulated, textOf, withDrafts, write } from '../apply/workshop.ts';
import type { Call } from '../command.ts';
import { agreed, requireRoot } from '../commands/change.ts';
import { exportPrefix, type Pair, volumesOf } from '../configuration/pair.ts';
import { configurationFile, readPair } from '../configuration/read.ts';
import { run } from '../drbd/run.ts';
import { CommandError, type Ending } from '../exit.ts';
import { alertAgent, alertId } from '../facts/alerts.ts';
import { cibText } from '../facts/cib-text.ts';
import { type Cluster, lookAtCluster } from '../facts/cluster.ts';
import { tryToKnow } from '../facts/known.ts';
import { below, type Element, attribute as of, parseXml, within } from '../facts/xml.ts';
import type { Left } from '../interrupt.ts';
import { print, printLines } from '../output/print.ts';
import { harmless, type Language } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { wantedOf } from '../plan/cluster.ts';
import { drbdFile } from '../plan/files.ts';
import { shellLine } from '../stack.ts';
import { removeWords } from './words.ts';

export type RemoveOptions = {
  readonly config: string | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
};

/** What goes: the group, the clone, and every constraint that means nothing without them and their members. */
type Own = {
  /** The group first: without it the clone may be demoted. */
  readonly containers: readonly Element[];
  readonly resources: readonly Element[];
  readonly constraints: readonly Element[];
  /** Sets of constraints that also hold others together, as they are without what goes. */
  readonly shortened: readonly Element[];
  /** That of tsha, where no other pair needs it, with whatever recipients somebody has given it. */
  readonly alerts: readonly Element[];
};

/**
 * `tsha remove`: stops the service of the file, and then takes it out of the cluster in one transaction. In that order, since Pacemaker
 * stops what is no longer configured without the order in which it belongs. Data, DRBD's file and the file itself stay.
 */
export async function remove(call: Call, options: RemoveOptions): Promise<Ending> {
  const { host, terminal } = call;
  const words = removeWords(terminal.language);
  const file = options.config ?? configurationFile;
  const pair = readPair(file, terminal.language);
  const look = async () => ownOf(parseXml(await cibText(host)), pair, terminal.language);
  const own = await look();
  if (isNothing(own)) {
    print(1, `${say(words.nothing, { file: harmless(file) })}\n`);
    return 'well';
  }
  const disks = volumesOf(pair).flatMap((volume) => Object.entries(volume.disks).map((one) => one.join(':')));
  printLines([
    say(words.goes, { file: harmless(file) }),
    ...[...own.resources, ...own.constraints, ...own.alerts].map((one) =>
      harmless(`  - ${of(one, 'id')}  ${kindOf(one)}`),
    ),
    ...own.shortened.map((one) => harmless(`  ~ ${of(one, 'id')}  ${kindOf(one)}: ${words.shortened}`)),
    terminal.paint.bad(say(words.ends, { disks: harmless(disks.join(', ')) })),
  ]);
  const isFile = Boolean(call.sys.env['CIB_file']);
  if (!isFile) await requireStops(call, own);
  if (options.dryRun) return 'attention';
  requireRoot(call);
  const proposal = {
    ...{ question: words.question, yes: options.yes, what: 'tsha remove', plan: own },
    async again() {
      const now = await look();
      if (!isFile) await requireStops(call, now);
      return now;
    },
    keyOf: (one: Own) =>
      [one.containers, one.resources, one.constraints, one.shortened, one.alerts].map(idsIn),
  };
  return agreed(call, proposal, async (own) => {
    const switches = isFile ? [] : switchesFor(own);
    // before anything is asked for: who is interrupted while a tool runs does not know whether it was taken
    call.onInterrupt(() => takeBack(call, look, switches));
    const takeAllOut = () => withDrafts(call, (folder) => takeOut(call, folder, pair));
    if (isFile) await takeAllOut();
    else
      await begun(switches, async () => {
        for (const { off } of switches) await run(host, off);
        await untilStopped(call, own);
        await takeAllOut();
      });
    print(1, terminal.marks(`✓ ${words.removed}\n`));
    const { device, directory } = pair.filesystem;
    const facts = {
      files: [file, drbdFile(pair)].map(harmless).join(', '),
      resource: pair.drbd.resource,
      device,
      directory,
    };
    print(1, `${say(words.stays, facts)}\n`);
    return 'well';
  });
}

/** What switches a part of the service off, and what makes it as it was before. */
type Switch = { readonly id: string; readonly off: Argv; readonly back: Argv };

const isNothing = ({ containers, constraints, shortened }: Own): boolean =>
  containers.length + constraints.length + shortened.length === 0;

/**
 * A member that has a role of its own does not care for that of what it is in, and where that is the first one crm_resource changes the
 * member's in place of the group's or the clone's: those behind it stop with it.
 */
const switchesFor = ({ containers, resources }: Own): readonly Switch[] =>
  [
    ...containers.filter((one) =>
      below(one, 'primitive')
        .slice(0, 1)
        .every((first) => roleOf(first) === ''),
    ),
    ...resources.filter((one) => roleOf(one) !== ''),
  ].flatMap(switchOf);

/** None for what somebody has switched off before. */
function switchOf(resource: Element): readonly Switch[] {
  const id = of(resource, 'id');
  const before = roleOf(resource);
  if (before === 'Stopped') return [];
  const role = ['crm_resource', '--resource', id, '--meta'] as const;
  const set = (value: string): Argv => [
    ...role,
    ...['--set-parameter', 'target-role', '--parameter-value', value],
  ];
  const back: Argv = before === '' ? [...role, '--delete-parameter', 'target-role'] : set(before);
  return [{ id, off: set('Stopped'), back }];
}

const roleOf = (resource: Element): string =>
  below(resource, 'meta_attributes', 'nvpair')
    .filter((pair) => of(pair, 'name') === 'target-role')
    .map((pair) => of(pair, 'value'))[0] ?? '';

/**
 * Throws `CommandError` where something would go on running once all of it is switched off, as in maintenance mode, or unmanaged: an outage that
 * this command could not end.
 */
async function requireStops(call: Call, own: Own): Promise<void> {
  const { host, terminal } = call;
  const words = removeWords(terminal.language);
  const cluster = await lookAtCluster(host);
  const running = runningOf(cluster, own);
  if (running.length === 0) return;
  if (cluster.dc === null || !cluster.hasQuorum)
    throw new CommandError('broken', words.undecided, ['tsha status']);
  const ids = new Set(switchesFor(own).map(({ id }) => id));
  const cib = parseXml(await cibText(host));
  const actions = await withDrafts(call, (folder) =>
    simulated(host, folder, write(folder, 'off.xml', textOf(switchedOff(cib, ids)))),
  );
  const stops = actions.filter(({ action, isBlocked }) => action === 'stop' && !isBlocked);
  const stay = running.filter(
    ({ id, node }) => !stops.some((one) => one.resource === id && one.node === node),
  );
  if (stay.length > 0)
    throw new CommandError(
      'broken',
      harmless(say(words.wouldStay, { ids: stay.map(({ id, node }) => `${id} (${node})`).join(', ') })),
      ['tsha status'],
    );
}

const runningOf = ({ instances }: Cluster, { resources }: Own) =>
  instances.filter(({ id, active, pending }) => (active || pending) && idsIn(resources).includes(id));

/** The configuration with these switched off, as crm_resource does it. */
const switchedOff = (element: Element, ids: ReadonlySet<string>): Element => {
  const id = of(element, 'id');
  const children = element.children.map((child) =>
    child.name === 'status' ? child : switchedOff(child, ids),
  );
  if (!['group', 'clone', 'primitive'].includes(element.name) || !ids.has(id))
    return { ...element, children };
  const pair = { id: `tsha-remove-${id}`, name: 'target-role', value: 'Stopped' };
  const set: Element = {
    name: 'meta_attributes',
    attributes: { id: `tsha-remove-set-${id}` },
    children: [{ name: 'nvpair', attributes: pair, children: [] }],
  };
  const others = children.map((child) =>
    child.name === 'meta_attributes'
      ? { ...child, children: child.children.filter((one) => of(one, 'name') !== 'target-role') }
      : child,
  );
  return { ...element, children: [set, ...others] };
};

const backLines = (switches: readonly Switch[]): readonly string[] =>
  switches.toReversed().map(({ back }) => harmless(shellLine(back)));

/** From the first tool on there is no way to end with nothing changed: one that had no answer may have been taken. */
async function begun(switches: readonly Switch[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const why = error instanceof Error ? error.message : wordsOf(error);
    throw new CommandError('halfway', why, ['tsha status', 'tsha remove', ...backLines(switches)]);
  }
}

const mostLooks = 5;
/** So many in a row that find nothing switched off: what was under way when the signal came may be taken a moment later. */
const quietLooks = 2;

/** After an interruption: what this command has switched off is as it was before, and nothing else is touched. */
async function takeBack(
  { host, sys, terminal }: Call,
  look: () => Promise<Own>,
  switches: readonly Switch[],
): Promise<Left | undefined> {
  const words = removeWords(terminal.language);
  let isAsked = false;
  let quiet = 0;
  for (let looks = 0; looks < mostLooks; looks++) {
    await sys.sleep(1000);
    const now = await tryToKnow(look);
    if (now.is === 'unknown') continue;
    if (isNothing(now.value)) {
      print(2, `${words.interruptedLate}\n`);
      return 'well';
    }
    const all = [...now.value.containers, ...now.value.resources];
    const isOff = (id: string) => all.some((one) => of(one, 'id') === id && roleOf(one) === 'Stopped');
    const left = switches.filter(({ id }) => isOff(id));
    if (left.length === 0 && ++quiet < quietLooks) continue;
    if (left.length === 0) {
      print(2, `${isAsked ? words.interruptedBack : words.interruptedEarly}\n`);
      return undefined;
    }
    [isAsked, quiet] = [true, 0];
    for (const { back } of left.toReversed()) await host.tryRun(back, { timeoutMs: 30_000 });
  }
  print(2, [words.interruptedOff, ...backLines(switches).map((line) => `  → ${line}`), ''].join('\n'));
  return 'halfway';
}

const idsIn = (elements: readonly Element[]): readonly string[] => elements.map((one) => of(one, 'id'));

const kindOf = (element: Element): string =>
  element.name === 'primitive'
    ? `${of(element, 'class')}:${of(element, 'provider')}:${of(element, 'type')}`
    : element.name;

/** Throws `CommandError` where the cluster is another one, or the group has a member that the file does not speak of. */
function ownOf(cib: Element, pair: Pair, language: Language): Own {
  requireSameNodes(cib, pair, language);
  const { stranger } = removeWords(language);
  const wanted = wantedOf(pair);
  const [resources] = within(cib, 'resources');
  const containers = (['group', 'clone'] as const).flatMap((name) =>
    (resources?.children ?? []).filter((one) => one.name === name && of(one, 'id') === wanted[name].id),
  );
  const members = containers.flatMap((one) => below(one, 'primitive'));
  const known = new Set(wanted.resources.map(({ id }) => id));
  for (const member of members) {
    const id = of(member, 'id');
    const isOurs =
      known.has(id) || (id.startsWith(exportPrefix(pair.name)) && of(member, 'type') === 'exportfs');
    if (!isOurs)
      throw new CommandError('broken', say(stranger, { id: harmless(id), group: wanted.group.id }));
  }
  const ids = new Set([...containers, ...members].map((one) => of(one, 'id')));
  const ours = within(cib, 'constraints')
    .flatMap(({ children }) => children)
    .filter((one) =>
      [one, ...within(one, 'resource_ref')].some((part) => names(part).some((id) => ids.has(id))),
    )
    .map((one) => ({ one, left: withoutRefs(one, ids) }));
  const shortened = ours.flatMap(({ left }) => left ?? []);
  const constraints = ours.flatMap(({ one, left }) => (left === null ? one : []));
  const isShared = within(cib, 'primitive').some(
    (one) => of(one, 'provider') === 'tsha' && !ids.has(of(one, 'id')),
  );
  const alerts = isShared ? [] : within(cib, 'alert').filter(isOwnAlert);
  return { containers, resources: members, constraints, shortened, alerts };
}

const isOwnAlert = (alert: Element): boolean =>
  of(alert, 'id') === alertId && of(alert, 'path') === alertAgent;

/** The resources that a constraint, or a reference in its sets, names. */
const names = (element: Element): readonly string[] =>
  element.name === 'resource_ref'
    ? [of(element, 'id')]
    : ['rsc', 'with-rsc', 'first', 'then'].map((name) => of(element, name)).filter(Boolean);

/** A constraint whose sets name these no more; null where nothing is left that it holds together, or keeps somewhere. */
function withoutRefs(constraint: Element, ids: ReadonlySet<string>): Element | null {
  if (names(constraint).some((id) => ids.has(id))) return null;
  const children = constraint.children.flatMap((set): readonly Element[] => {
    if (set.name !== 'resource_set') return [set];
    const left = set.children.filter((ref) => ref.name !== 'resource_ref' || !ids.has(of(ref, 'id')));
    if (left.length === set.children.length) return [set];
    return left.some(({ name }) => name === 'resource_ref') ? [{ ...set, children: left }] : [];
  });
  const sets = children.filter(({ name }) => name === 'resource_set');
  const [only, ...others] = sets;
  const isAboutEach = constraint.name === 'rsc_location' || constraint.name === 'rsc_ticket';
  const holds =
    others.length > 0 ||
    (only !== undefined &&
      (isAboutEach || (below(only, 'resource_ref').length > 1 && of(only, 'sequential') !== 'false')));
  return holds ? { ...constraint, children } : null;
}

const stopsWithinMs = 300_000;

async function untilStopped(call: Call, own: Own): Promise<void> {
  const { host, sys, terminal } = call;
  const words = removeWords(terminal.language);
  print(1, `  ${words.stopping}\n`);
  const end = sys.now() + stopsWithinMs;
  let left: readonly string[] = idsIn(own.resources);
  for (; sys.now() < end; await sys.sleep(1000)) {
    const seen = await tryToKnow(() => lookAtCluster(host));
    if (seen.is === 'unknown') continue;
    left = [...new Set(runningOf(seen.value, own).map(({ id }) => id))];
    if (left.length === 0) return;
  }
  throw new CommandError(
    'halfway',
    say(words.stillRuns, { seconds: stopsWithinMs / 1000, ids: harmless(left.join(', ')) }),
    ['tsha status', 'tsha remove'],
  );
}

const mostTries = 20;

/** In one transaction, bound to the version that was read. */
async function takeOut(call: Call, folder: string, pair: Pair): Promise<void> {
  const { host, terminal } = call;
  const { language } = terminal;
  for (let tries = 0; tries < mostTries; tries++) {
    const cib = parseXml(await cibText(host));
    const own = ownOf(cib, pair, language);
    const gone = new Set(idsIn([...own.containers, ...own.constraints, ...own.alerts]));
    if (gone.size === 0 && own.shortened.length === 0) return;
    const next = without(cib, gone, own.shortened);
    const patch = await patchFor(host, folder, cib, next, [...gone, ...idsIn(own.shortened)]);
    if ((await push(host, patch)) === 'taken') return;
  }
  throw new CommandError('halfway', removeWords(language).changedMeanwhile, ['tsha remove']);
}

/** Of the sections for resources, constraints and alerts. */
const without = (element: Element, ids: ReadonlySet<string>, shortened: readonly Element[]): Element => ({
  ...element,
  children: element.children
    .filter(
      (child) => !(['resources', 'constraints', 'alerts'].includes(element.name) && ids.has(of(child, 'id'))),
    )
    .map((child) => {
      if (['configuration', 'resources', 'constraints', 'alerts'].includes(child.name))
        return without(child, ids, shortened);
      const left = shortened.find((one) => of(one, 'id') === of(child, 'id'));
      return element.name === 'constraints' && left ? left : child;
    }),
});
