import type { Host } from '../../lib/host/host.ts';
import { patchFor, push, settle, simulated, textOf, write } from '../apply/workshop.ts';
import type { Call } from '../command.ts';
import { CommandError } from '../exit.ts';
import { cibText } from '../facts/cib-text.ts';
import { lookAtCluster } from '../facts/cluster.ts';
import {
  isInMaintenance,
  maintenanceEntries,
  migrationIn,
  outdated,
  outOfMaintenance,
  recordedIn,
} from '../facts/migration.ts';
import { type Element, parseXml } from '../facts/xml.ts';
import { harmless } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { type Agents, agentsIn, differing, withAgents } from './agents.ts';
import { migrateWords } from './words.ts';

// The way from some agents to others, and back. Agents are only ever changed in maintenance mode, and that ends only when Pacemaker has
// nothing to do: otherwise it starts anew whatever was written down by another agent than the one that is configured.

export type Course = {
  readonly call: Call;
  /** With which programs are called; parked once the command was interrupted. */
  readonly host: Host;
  /** For drafts. */
  readonly folder: string;
  /** The resources of the pair. */
  readonly ids: readonly string[];
  /** Its clone and its group. */
  readonly containers: readonly string[];
  /** What a monitor has to say, by `node resource`; null where nobody knows any more. */
  readonly expected: ReadonlyMap<string, number> | null;
  /** Whether maintenance mode is ours to end. */
  readonly isOurs: boolean;
};

const mostTries = 20;

/**
 * Changes the configuration in one transaction that is bound to what was read, however often it takes. `null` of `make` ends it: `false`.
 */
export async function change(course: Course, make: (cib: Element) => Element | null): Promise<boolean> {
  const { host, call } = course;
  for (let tries = 0; tries < mostTries; tries++) {
    const cib = parseXml(await cibText(host));
    const next = make(cib);
    if (next === null) return false;
    if (textOf(next) === textOf(cib)) return true;
    if ((await push(host, await patchOf(course, cib, next))) === 'taken') return true;
  }
  throw new CommandError('halfway', migrateWords(call.terminal.language).somebodyElse);
}

const patchOf = ({ host, folder, ids, containers }: Course, cib: Element, next: Element): Promise<string> =>
  patchFor(
    host,
    folder,
    cib,
    next,
    [...ids, ...containers],
    [...maintenanceEntries(cib), ...maintenanceEntries(next)],
  );

async function refresh({ host, containers }: Course): Promise<void> {
  for (const id of containers)
    await host.tryRun(['crm_resource', '--refresh', '--resource', id], { timeoutMs: 60_000 });
}

const answersWithinMs = 180_000;
const refreshEveryMs = 30_000;
/** Scores and attributes may come a little later than the answers. */
const quietWithinMs = 30_000;

/**
 * Has these agents look after everything: the configuration, then what is written down, then out of maintenance mode. Null when that is
 * so, otherwise why it stays in maintenance mode.
 */
export async function bring(
  course: Course,
  agents: Agents,
  tell: (step: 'changed' | 'found') => void,
): Promise<string | null> {
  const { call, host, folder, isOurs } = course;
  const { sys } = call;
  const words = migrateWords(call.terminal.language);
  const isChanged = await change(course, (cib) => (isInMaintenance(cib) ? withAgents(cib, agents) : null));
  /** Somebody, or this very command before it was interrupted, has ended it: what counts is whose agents are there. */
  const ended = (cib: Element): string | null => {
    const isSo = differing(agentsIn(cib, course.ids), agents).size === 0;
    const isStale = outdated(cib).some(({ resource }) => course.ids.includes(resource));
    return isSo && !isStale ? null : words.endedMeanwhile;
  };
  if (!isChanged) return ended(parseXml(await cibText(host)));
  tell('changed');
  await settle(host);
  const begun = sys.now();
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let quietSince: number | null = null;
  for (; ; await sys.sleep(1000)) {
    const { nodes } = await lookAtCluster(host);
    const online = nodes.filter((node) => node.online).map(({ name }) => name);
    const cib = parseXml(await cibText(host));
    if (!isInMaintenance(cib)) return ended(cib);
    const { waiting, misfits } = seen(course, cib, online);
    const late = sys.now() - begun;
    const isStale = outdated(cib).some(({ resource }) => course.ids.includes(resource));
    const isFirst = refreshedAt === Number.NEGATIVE_INFINITY;
    if (isFirst ? isStale || misfits.length > 0 || waiting.length > 0 : isStale)
      if (sys.now() - refreshedAt > refreshEveryMs) {
        refreshedAt = sys.now();
        await refresh(course);
        await settle(host);
        continue;
      }
    if (waiting.length > 0) {
      if (late < answersWithinMs) continue;
      return say(words.unanswered, { seconds: answersWithinMs / 1000, what: harmless(waiting.join(', ')) });
    }
    if (misfits.length > 0) return misfits.map(harmless).join('; ');
    const actions = await simulated(host, folder, write(folder, 'left.xml', textOf(outOfMaintenance(cib))));
    if (actions.length > 0) {
      quietSince ??= sys.now();
      if (sys.now() - quietSince < quietWithinMs) continue;
      return say(words.wouldDo, {
        what: harmless(
          actions.map(({ action, resource, node }) => `${action} ${resource} (${node})`).join(', '),
        ),
      });
    }
    tell('found');
    if (!isOurs || migrationIn(cib) === null) return null;
    if ((await push(host, await patchOf(course, cib, outOfMaintenance(cib)))) === 'taken') return null;
  }
}

/** Who has not answered yet, and whose answer is another than before, or none that a healthy pair gives. */
function seen(
  { ids, expected, call }: Course,
  cib: Element,
  online: readonly string[],
): { readonly waiting: readonly string[]; readonly misfits: readonly string[] } {
  const words = migrateWords(call.terminal.language);
  const wordFor = (code: number): string =>
    ({ 0: words.running, 5: words.absent, 7: words.stopped, 8: words.promoted })[code] ??
    say(words.answer, { code });
  const configured = agentsIn(cib, ids);
  const recorded = recordedIn(cib);
  const waiting: string[] = [];
  const misfits: string[] = [];
  for (const node of online)
    for (const [id, agent] of configured) {
      const state = recorded.find(
        (one) => one.resource === id && one.node === node && one.agent === agent,
      )?.state;
      const before = expected?.get(`${node} ${id}`);
      if (!state) waiting.push(`${id} (${node})`);
      else if (before === undefined ? ![0, 7, 8].includes(state.code) : state.code !== before)
        misfits.push(
          say(words.misfit, {
            ...{ resource: id, node, agent, answer: wordFor(state.code) },
            reason:
              (state.reason === '' ? '' : `: ${state.reason}`) +
              (before === undefined ? '' : say(words.expected, { before: wordFor(before) })),
          }),
        );
    }
  return { waiting, misfits };
}
