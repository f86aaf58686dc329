import { localTime } from '../../lib/contract/local-time.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { envelope } from '../output/json.ts';
import { print, printLines } from '../output/print.ts';
import type { HistoryData } from '../output/schema.ts';
import { harmless, type Terminal, table } from '../output/terminal.ts';
import { clock, dayAndTime } from '../output/units.ts';
import { say } from '../output/words.ts';
import type { Event } from './event.ts';
import { gatherHistory, type History } from './gather.ts';
import { type Incident, incidentsIn, serviceParts } from './incidents.ts';
import { eventReason, eventWord, incidentSentence, sourceSilent, sourceTold, span } from './sentence.ts';
import { readSince } from './since.ts';
import { historyWords } from './words.ts';

/** `tsha history [--since=…]`: what happened on both nodes, in order, with the agents' own reasons. */
export async function history(call: Call, { since }: { readonly since: string }): Promise<Ending> {
  const { host, terminal, json, quiet } = call;
  const words = historyWords(terminal.language);
  const now = Date.now();
  const from = readSince(since, now);
  if (from === null) throw new CommandError('unknown', say(words.badSince, { text: harmless(since) }));
  const found = await gatherHistory(host, from);
  const told = found.sources.filter(({ why }) => why === null);
  if (told.length === 0) {
    const why = found.sources.map((one) => sourceSilent(one, words)).join('; ');
    throw new CommandError('unknown', say(words.nothingKnown, { why: harmless(why) }));
  }
  const incidents = incidentsIn(found.events, serviceParts(found.cib));
  if (json) {
    const data = historyData(found, incidents);
    const { node } = found;
    print(1, `${JSON.stringify(envelope({ kind: 'history', time: now, node, findings: [], data }))}\n`);
  } else printLines(historyScreen(found, incidents, terminal, now, quiet));
  return 'well';
}

/** Each story with its sentence, and below it what was done, in order; with `quiet` the sentences alone. */
export function historyScreen(
  { events, since, sources }: History,
  incidents: readonly Incident[],
  terminal: Terminal,
  now: number,
  quiet = false,
): readonly string[] {
  const words = historyWords(terminal.language);
  const { paint } = terminal;
  const lines: string[] = [];
  if (incidents.length === 0) lines.push(say(words.nothing, { when: clock(since, now) }));
  for (const incident of incidents) {
    const isBad = !['move', 'start', 'stop', 'change'].includes(incident.cause);
    const sentence = harmless(incidentSentence(incident, words));
    lines.push(
      `${paint.bold(dateAndTime(incident.from, now))}  ${isBad ? paint.bad(sentence) : paint.bold(sentence)}`,
    );
    if (!quiet) lines.push(...eventTable(incident.events, terminal), '');
  }
  if (quiet) return lines.map((line) => terminal.marks(line));
  const told = sources.filter(({ why }) => why === null).map((one) => sourceTold(one, words));
  const silent = sources.filter(({ why }) => why !== null).map((one) => sourceSilent(one, words));
  return [
    ...lines,
    `${words.sources}: ${told.map(harmless).join(', ')}`,
    ...silent.map((text) => `${words.notTold}: ${harmless(text)}`),
    ...(events.some(({ exact }) => !exact) ? [words.wholeSeconds] : []),
  ].map((line) => terminal.marks(line));
}

const dateAndTime = (at: number, now: number): string =>
  now - at < 6 * 86_400_000
    ? dayAndTime(at)
    : localTime(new Date(at)).toISOString().slice(0, 16).replace('T', ' ');

function eventTable(events: readonly Event[], { language, paint }: Terminal): readonly string[] {
  const words = historyWords(language);
  const rows = events.map((event) => [
    '',
    moment(event),
    harmless(event.node),
    harmless(event.resource ?? ''),
    event.failed ? paint.bad(harmless(eventWord(event, words))) : harmless(eventWord(event, words)),
    event.ms === null ? '' : span(event.ms),
    event.failed && event.kind === 'action'
      ? paint.bad(`${words.failed}: ${harmless(eventReason(event))}`)
      : harmless(eventReason(event)),
  ]);
  return table(rows);
}

const two = (number: number, digits = 2) => String(number).padStart(digits, '0');

/** `13:58:02.113`, or `13:58:02 ~` where the source counts seconds. */
export function moment({ at, exact }: Pick<Event, 'at' | 'exact'>): string {
  const then = localTime(new Date(at));
  const time = `${two(then.getUTCHours())}:${two(then.getUTCMinutes())}:${two(then.getUTCSeconds())}`;
  return exact ? `${time}.${two(then.getUTCMilliseconds(), 3)}` : `${time} ~`;
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export const historyData = (
  { events, since, sources }: Pick<History, 'events' | 'since' | 'sources'>,
  incidents: readonly Incident[],
): HistoryData => ({
  since: new Date(since).toISOString(),
  sources: sources.map((source) => ({ ...source })),
  events: events.map(eventData),
  incidents: incidents.map(({ from, until, pauses, events: own, ...rest }) => ({
    ...rest,
    from: new Date(from).toISOString(),
    until: new Date(until).toISOString(),
    events: own.length,
    pauses: pauses.map(({ service, from: there, to, downAt, noticedAt, upAt, ms, exact }) => ({
      service,
      fromNode: there,
      toNode: to,
      downAt: iso(downAt),
      noticedAt: iso(noticedAt),
      upAt: iso(upAt),
      seconds: ms === null ? null : ms / 1000,
      isAtLeast: noticedAt !== null,
      exact,
    })),
  })),
});

const eventData = ({
  at,
  beganAt,
  ms,
  queuedMs,
  call: _,
  ...rest
}: Event): HistoryData['events'][number] => ({
  ...rest,
  at: new Date(at).toISOString(),
  beganAt: iso(beganAt),
  seconds: ms === null ? null : ms / 1000,
  queuedSeconds: queuedMs === null ? null : queuedMs / 1000,
});
