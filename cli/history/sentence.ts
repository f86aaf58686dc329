import { clock, duration } from '../output/units.ts';
import { say } from '../output/words.ts';
import type { Event } from './event.ts';
import type { Source } from './gather.ts';
import type { Incident, Pause } from './incidents.ts';
import type { HistoryWords } from './words.ts';

/** `18.3 s`, `1 min 2 s`, `0.12 s` */
export function span(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** What happened, in one sentence. */
export function incidentSentence(incident: Incident, words: HistoryWords): string {
  const { pauses } = incident;
  const ends = pauses.flatMap((pause) => pauseSentence(pause, incident, words));
  return [causeSentence(incident, words), ...ends].join(words.and);
}

export function causeSentence(
  { cause, node, resource, reason, pauses }: Incident,
  words: HistoryWords,
): string {
  const facts = { node: node ?? '?', resource: resource ?? '?', reason };
  const [pause] = pauses;
  switch (cause) {
    case 'node-lost':
      return say(words.nodeLost, facts);
    case 'fenced':
      return say(words.fenced, facts);
    case 'failure':
      return say(reason === '' ? words.failureUntold : words.failure, facts);
    case 'split-brain':
      return say(words.splitBrain, facts);
    case 'move':
      return say(words.move, {
        service: pause?.service ?? '?',
        from: pause?.from ?? '?',
        to: pause?.to ?? '?',
      });
    case 'start':
      return pause?.to
        ? say(words.movedTo, { service: pause.service, to: pause.to })
        : say(words.start, facts);
    case 'stop':
      return say(words.stop, facts);
    default:
      return say(words.change, facts);
  }
}

function pauseSentence(pause: Pause, { cause, until }: Incident, words: HistoryWords): readonly string[] {
  const { service, from, to, upAt } = pause;
  const where =
    cause === 'move' || cause === 'start' || cause === 'stop'
      ? []
      : to === null
        ? []
        : [
            say(from === null ? words.movedTo : from === to ? words.backOn : words.movedFromTo, {
              service,
              from: from ?? '?',
              to,
            }),
          ];
  const time = pauseTime(pause, words);
  const end =
    time !== null
      ? [time]
      : upAt === null && from !== null
        ? [say(words.notBack, { when: clock(until, until) })]
        : [];
  const text = [...where, ...end].join(words.comma);
  return text === '' ? [] : [text];
}

/** `18.3 s`; `~18 s` where it is not known better. */
export const pauseSpan = ({ ms, exact }: Pause): string | null =>
  ms === null ? null : exact ? span(ms) : `~${duration(ms / 1000)}`;

/** How long clients waited; null where nobody can tell. */
function pauseTime(pause: Pause, words: HistoryWords): string | null {
  const time = pauseSpan(pause);
  return time === null ? null : say(pause.noticedAt === null ? words.away : words.awayAtLeast, { time });
}

/** What was done, in Pacemaker's word, and what became of it. */
export function eventWord({ kind, action }: Event, words: HistoryWords): string {
  if (kind === 'node') return action === 'member' ? words.member : action === 'lost' ? words.lost : action;
  if (kind === 'fencing') return say(words.fencing, { action });
  return kind === 'split-brain' ? words.splitFound : action;
}

/** Why, in the words of whoever knows best. */
export const eventReason = ({ kind, failed, reason, what, code }: Event): string => {
  if (kind === 'fencing' || kind === 'attribute') return what;
  if (kind !== 'action' || !failed) return '';
  return reason || what || `exit ${code}`;
};

export const sourceTold = ({ what, node, events }: Source, words: HistoryWords): string =>
  say(
    {
      'alert-log': words.alertLog,
      'other-node': words.otherNode,
      cib: words.cib,
      transitions: words.transitions,
    }[what],
    { node, events },
  );

export const sourceSilent = ({ what, node, why }: Source, words: HistoryWords): string =>
  `${say(
    {
      'alert-log': words.alertLogNot,
      'other-node': words.otherNodeNot,
      cib: words.cibNot,
      transitions: words.transitionsNot,
    }[what],
    { node },
  )}: ${why}`;
