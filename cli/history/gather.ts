import { type Host, hostName } from '../../lib/host/host.ts';
import { cibText } from '../facts/cib-text.ts';
import { ownName } from '../facts/gather.ts';
import { type Known, tryToKnow } from '../facts/known.ts';
import { askEvents } from '../facts/other-node.ts';
import { type Element, parseXml } from '../facts/xml.ts';
import { readAlertLog } from './alert-log.ts';
import { type Event, merged } from './event.ts';
import { storiesSince } from './incidents.ts';
import { eventsInCib } from './operations.ts';
import { eventsInTransitions } from './transitions.ts';

/** Where events come from, and what one of these places had to say. */
export type Source = {
  readonly node: string;
  readonly what: 'alert-log' | 'cib' | 'transitions' | 'other-node';
  /** Null where it told something, or had nothing to tell. */
  readonly why: string | null;
  readonly events: number;
};

export type History = {
  readonly node: string;
  readonly since: number;
  readonly events: readonly Event[];
  readonly sources: readonly Source[];
  readonly cib: Element | null;
};

const noAlert = 'there is no alert log: Pacemaker has no alert of tsha, or has not called it yet';

/** A story that had begun before that time is told from its beginning, if it began no longer before. */
const reachBackMs = 600_000;

/** The most that one node sends to the other. */
const mostEvents = 4000;

/** Of this node alone: what it knows without asking the other one. */
export async function eventsHere(host: Host, since: number): Promise<readonly Event[]> {
  const [log, transitions] = await Promise.all([
    tryToKnow(() => readAlertLog(host)),
    tryToKnow(() => eventsInTransitions(host, since)),
  ]);
  return merged(
    log.is === 'known' ? (log.value ?? []) : [],
    transitions.is === 'known' ? transitions.value : [],
  )
    .filter(({ at }) => at >= since)
    .slice(-mostEvents);
}

/** What happened since then, of both nodes as far as one of them, or what this one remembers of it, can tell. */
export async function gatherHistory(host: Host, since: number): Promise<History> {
  const cib = await tryToKnow(async () => parseXml(await cibText(host)));
  const names = cib.is === 'known' ? namesIn(cib.value) : [];
  const node = ownName(await hostName(host), names);
  const others = names.filter((name) => name !== node);
  const early = since - reachBackMs;
  const [log, transitions, ...theirs] = await Promise.all([
    tryToKnow(() => readAlertLog(host)),
    tryToKnow(() => eventsInTransitions(host, early)),
    ...others.map((name) => askEvents(host, name, [String(early)])),
  ]);
  const recent = (events: readonly Event[] | null) => (events ?? []).filter(({ at }) => at >= early);
  const told = <T>(fact: Known<T>, events: (value: T) => readonly Event[]) =>
    fact.is === 'known' ? events(fact.value) : [];
  const own = told(log, recent);
  const fromPeers = theirs.map((one) => told(one, ({ events }) => recent(events)));
  const now = told(cib, (root) => recent(eventsInCib(root, 'cib')));
  const before = told(transitions, recent);
  const reason = (fact: Known<unknown>) => (fact.is === 'unknown' ? fact.why : null);
  return {
    node,
    since,
    events: storiesSince(merged(own, ...fromPeers, now, before), since),
    sources: [
      {
        ...{ node, what: 'alert-log', events: own.length },
        why: log.is === 'known' && log.value === null ? noAlert : reason(log),
      },
      ...others.map((name, index) => ({
        ...{ node: name, what: 'other-node' as const, events: fromPeers[index]?.length ?? 0 },
        why: theirs[index] ? reason(theirs[index]) : null,
      })),
      { node, what: 'cib', why: reason(cib), events: now.length },
      { node, what: 'transitions', why: reason(transitions), events: before.length },
    ],
    cib: cib.is === 'known' ? cib.value : null,
  };
}

const namesIn = (cib: Element): readonly string[] =>
  cib.children
    .filter(({ name }) => name === 'configuration')
    .flatMap(({ children }) => children.filter(({ name }) => name === 'nodes'))
    .flatMap(({ children }) => children.map(({ attributes }) => attributes['uname'] ?? ''))
    .filter(Boolean);
