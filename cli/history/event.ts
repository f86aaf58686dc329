import { z } from 'zod';

/** One thing that happened, whoever told of it. */
export const eventShape = z.object({
  at: z.number().describe('when it had happened or ended, in milliseconds since 1970'),
  beganAt: z.number().nullable().describe('when an action began'),
  exact: z.boolean().describe('false where the source counts whole seconds'),
  kind: z.enum(['action', 'node', 'fencing', 'attribute', 'split-brain']),
  node: z.string(),
  resource: z.string().nullable(),
  action: z.string().describe('start, stop, promote…; of a node: member or lost; the name of an attribute'),
  failed: z.boolean(),
  code: z.number().nullable().describe('exit status of the agent'),
  ms: z.number().nullable().describe('how long the action took'),
  queuedMs: z.number().nullable().describe('how long it had to wait before'),
  what: z.string().describe("in Pacemaker's words"),
  reason: z.string().describe("in the agent's own words"),
  source: z.enum(['alert', 'cib', 'transition']),
  call: z.number().nullable().describe('counts the actions of a node'),
});
export type Event = z.infer<typeof eventShape>;

/** Exit statuses that a first look may give: running, not running, promoted. */
export const probeCodes: readonly number[] = [0, 7, 8];

/** The CIB counts seconds, and an alert is told a little after the end. */
const sameWithinMs = 3000;

/**
 * Both nodes tell of what became of a node, each at its own time. Of its actions a node tells once; where a monitor hung, the CIB has a moment
 * between its beginning and its end.
 */
const isSame = (one: Event, other: Event): boolean => {
  const isTold =
    one.kind === other.kind &&
    one.node === other.node &&
    one.resource === other.resource &&
    one.action === other.action &&
    one.code === other.code;
  const begin = Math.max(one.beganAt ?? one.at, other.beganAt ?? other.at);
  if (!isTold || begin - Math.min(one.at, other.at) > sameWithinMs) return false;
  if (one.call !== null && other.call !== null) return one.call === other.call;
  return one.kind !== 'action' || !(one.exact && other.exact) || one.at === other.at;
};

/** What both know is told once: with the time of the one that knows it better, and whatever either has besides. */
const joined = (one: Event, other: Event): Event => {
  const [better, worse] = one.exact ? [one, other] : [other, one];
  return {
    ...better,
    beganAt: better.beganAt ?? worse.beganAt,
    ms: better.ms ?? worse.ms,
    queuedMs: better.queuedMs ?? worse.queuedMs,
    call: better.call ?? worse.call,
    what: better.what || worse.what,
    reason: better.reason || worse.reason,
  };
};

/** Several tellings of the same events, as one, in order. The first list is the one that knows best. */
export function merged(...tellings: readonly (readonly Event[])[]): readonly Event[] {
  const byPlace = new Map<string, Event[]>();
  for (const event of tellings.flat()) {
    const place = `${event.kind} ${event.node} ${event.resource} ${event.action} ${event.code}`;
    const there = byPlace.get(place) ?? [];
    const at = there.findIndex((one) => isSame(one, event));
    const known = there[at];
    if (known) there[at] = joined(known, event);
    else there.push(event);
    byPlace.set(place, there);
  }
  return [...byPlace.values()].flat().sort(inOrder);
}

/** Of one node and one second the cluster's own count decides. */
function inOrder(one: Event, other: Event): number {
  const isCounted =
    one.node === other.node &&
    one.call !== null &&
    other.call !== null &&
    !(one.exact && other.exact) &&
    Math.abs(one.at - other.at) < 1000;
  return isCounted ? Number(one.call) - Number(other.call) : one.at - other.at;
}
