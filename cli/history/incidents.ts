import { readCib } from '../facts/cib.ts';
import type { Element } from '../facts/xml.ts';
import type { Event } from './event.ts';

/** What clients use, as the configuration has it. */
export type ServiceParts = {
  /** What clients know it by: its address, else the id of the group. */
  readonly name: string;
  readonly members: readonly string[];
  readonly addresses: readonly string[];
  /** Clients are served without these: they only tell them to hurry. */
  readonly notifiers: readonly string[];
};

export function serviceParts(cib: Element | null): readonly ServiceParts[] {
  if (!cib) return [];
  const { groups, primitives } = readCib(cib);
  const ofType = (members: readonly string[], type: RegExp) =>
    primitives.filter((one) => members.includes(one.id) && type.test(one.type));
  return groups.flatMap(({ id, members }) => {
    const addresses = ofType(members, /^IPaddr2?$/);
    return [
      {
        name: addresses.map(({ parameters }) => parameters['ip'] ?? '').find(Boolean) ?? id,
        members,
        addresses: addresses.map((one) => one.id),
        notifiers: ofType(members, /^nfsnotify$/).map((one) => one.id),
      },
    ];
  });
}

/** How long clients waited, as far as anybody can know. */
export type Pause = {
  readonly service: string;
  readonly from: string | null;
  readonly to: string | null;
  /** When the first part of it was stopped; null where it died, or was not seen to stop. */
  readonly downAt: number | null;
  /** When the cluster noticed that it had died; null where it was stopped in order. */
  readonly noticedAt: number | null;
  /** When the last part that clients need was up again; null while it is not. */
  readonly upAt: number | null;
  /** Of `upAt` and the moment before; at least so long where `noticedAt` is set. */
  readonly ms: number | null;
  /** False where one of the two is told in whole seconds. */
  readonly exact: boolean;
};

export type Incident = {
  readonly from: number;
  readonly until: number;
  readonly cause: 'node-lost' | 'fenced' | 'failure' | 'split-brain' | 'move' | 'start' | 'stop' | 'change';
  /** Where it began. */
  readonly node: string | null;
  readonly resource: string | null;
  /** In the agent's words, else Pacemaker's. */
  readonly reason: string;
  readonly pauses: readonly Pause[];
  readonly events: readonly Event[];
};

/** What lies further apart does not belong together. */
const quietMs = 60_000;

/** Events of one story: between two of them it was never quiet for long. */
function storiesIn(events: readonly Event[]): readonly (readonly Event[])[] {
  const stories: Event[][] = [];
  let until = Number.NEGATIVE_INFINITY;
  for (const event of events.toSorted((one, other) => begin(one) - begin(other))) {
    const story = stories.at(-1);
    if (story && begin(event) - until <= quietMs) story.push(event);
    else stories.push([event]);
    until = Math.max(until, event.at);
  }
  return stories;
}

/** What happened since then; a story that had begun before is told from its beginning. */
export const storiesSince = (events: readonly Event[], since: number): readonly Event[] => {
  const kept = new Set(
    storiesIn(events)
      .filter((story) => story.some(({ at }) => at >= since))
      .flat(),
  );
  return events.filter((event) => kept.has(event));
};

export const incidentsIn = (
  events: readonly Event[],
  services: readonly ServiceParts[],
): readonly Incident[] =>
  storiesIn(events)
    .filter((story) => story.some(isOfInterest))
    .map((story) => incident(story, services));

const begin = ({ beganAt, at }: Event): number => beganAt ?? at;
/** An attribute alone is no story. */
const isOfInterest = ({ kind }: Event): boolean => kind !== 'attribute';

function incident(story: readonly Event[], services: readonly ServiceParts[]): Incident {
  const events = story.toSorted((one, other) => one.at - other.at);
  const pauses = services.flatMap((service) => pauseOf(events, service) ?? []);
  const lost = events.find(
    (one) => one.kind === 'node' && one.action === 'lost' && !leftInOrder(one, events),
  );
  const fenced = events.find(({ kind }) => kind === 'fencing');
  const split = events.find(({ kind }) => kind === 'split-brain');
  const failed = events.find(({ kind, failed: isFailed }) => kind === 'action' && isFailed);
  const common = {
    from: Math.min(...events.map(begin)),
    until: Math.max(...events.map(({ at }) => at)),
    pauses,
    events,
  };
  const told = (cause: Incident['cause'], event: Event | undefined): Incident => ({
    ...common,
    cause,
    node: event?.node ?? null,
    resource: event?.resource ?? null,
    reason: event?.reason || event?.what || '',
  });
  // what came first is what it began with; a failure may have got its node fenced
  const began = [failed, lost, fenced]
    .flatMap((one) => one ?? [])
    .toSorted((one, other) => begin(one) - begin(other))[0];
  if (began) return told(began === failed ? 'failure' : lost ? 'node-lost' : 'fenced', began);
  if (split) return told('split-brain', split);
  const [pause] = pauses;
  const stop = events.find(({ action }) => action === 'stop' || action === 'demote');
  const start = events.find(({ action }) => action === 'start' || action === 'promote');
  if (pause?.from && pause.to) return told(pause.from === pause.to ? 'change' : 'move', stop);
  return stop && !start
    ? told('stop', stop)
    : start && !stop
      ? told('start', start)
      : told('change', events[0]);
}

/** Its services were stopped before it went: it was shut down. */
const leftInOrder = (lost: Event, events: readonly Event[]): boolean =>
  events.some(
    ({ kind, node, action, failed, at }) =>
      kind === 'action' && node === lost.node && action === 'stop' && !failed && at <= lost.at,
  );

/** Null where the service was not touched. */
function pauseOf(events: readonly Event[], service: ServiceParts): Pause | null {
  const isPart = ({ kind, resource, failed }: Event) =>
    kind === 'action' && !failed && resource !== null && service.members.includes(resource);
  const needed = ({ resource }: Event) => resource !== null && !service.notifiers.includes(resource);
  const stops = events.filter((one) => isPart(one) && needed(one) && one.action === 'stop');
  const starts = events.filter((one) => isPart(one) && needed(one) && one.action === 'start');
  const end = starts.at(-1);
  const to = end?.node ?? null;
  const [stop] = stops.toSorted((one, other) => begin(one) - begin(other));
  const lost = events.find(
    ({ kind, action, node }) =>
      (kind === 'fencing' || (kind === 'node' && action === 'lost')) &&
      node !== to &&
      !stops.some((one) => one.node === node),
  );
  // a failure that is told with the node's own time stands for the moment at which it was noticed
  const failure = events.find(
    ({ kind, failed, resource }) =>
      kind === 'action' && failed && resource !== null && service.members.includes(resource),
  );
  if (!stop && !end) return null;
  const downAt = stop ? begin(stop) : null;
  const [noticed] = [
    ...(lost && (downAt === null || lost.at < downAt) ? [lost] : []),
    ...(failure && (downAt === null || failure.at <= downAt + 1000) ? [failure] : []),
  ].toSorted((one, other) => one.at - other.at);
  const noticedAt = noticed?.at ?? null;
  const began = Math.min(downAt ?? Number.POSITIVE_INFINITY, noticedAt ?? Number.POSITIVE_INFINITY);
  const isUp = end !== undefined && (!Number.isFinite(began) || end.at >= began);
  const isWhole = service.addresses.every((id) => {
    const last = events
      .filter((one) => one.resource === id && isPart(one) && one.action !== 'monitor')
      .at(-1);
    return last === undefined || last.action === 'start';
  });
  const upAt = isUp && isWhole ? end.at : null;
  return {
    service: service.name,
    from: stop?.node ?? noticed?.node ?? null,
    to,
    downAt,
    noticedAt,
    upAt,
    ms: upAt === null || !Number.isFinite(began) ? null : upAt - began,
    exact: [noticed ?? stop, end].every((one) => one?.exact !== false),
  };
}

/** What a report is about: the last failure or move; where there was none, the last that happened. */
export const mainIncident = (incidents: readonly Incident[]): Incident | null =>
  incidents.findLast(({ cause }) => !['start', 'stop', 'change'].includes(cause)) ?? incidents.at(-1) ?? null;
