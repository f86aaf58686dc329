import { z } from 'zod';
import type { Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { alertFolder } from '../facts/alerts.ts';
import { type Event, probeCodes } from './event.ts';

const text = z.string().catch('');
const number = z.number().nullable().catch(null);

/** A line of the log (packaging/share/alert_tsha.sh). A reason comes in a line of its own, with the time and count of the event. */
const lineShape = z.object({
  v: z.literal(1),
  at: z.number(),
  seq: number,
  kind: text,
  node: text,
  resource: z.string().nullable().catch(null),
  action: text,
  intervalMs: number,
  code: number,
  expected: number,
  status: number,
  ms: number,
  name: text,
  value: text,
  what: text,
  reason: text,
});
type Line = z.infer<typeof lineShape>;

/** What this node's alert agent has written; null where it never wrote. Throws `Failure` where that cannot be read. */
export async function readAlertLog(host: Host): Promise<readonly Event[] | null> {
  const log = await readIfThere(host, `${alertFolder}/events.jsonl`);
  const before = await readIfThere(host, `${alertFolder}/events.jsonl.1`);
  return log === undefined && before === undefined ? null : eventsInLog(`${before ?? ''}\n${log ?? ''}`);
}

/** A line that a crash cut short, or that is none, is left out. */
export function eventsInLog(log: string): readonly Event[] {
  const byKey = new Map<string, Event>();
  const reasons = new Map<string, string>();
  for (const raw of log.split('\n')) {
    const line = parsed(raw);
    if (!line) continue;
    const moment = `${line.at} ${line.seq}`;
    if (line.kind === '') reasons.set(moment, line.reason);
    const event = eventOf(line);
    // an alert with several recipients is told once for each of them
    if (event) byKey.set(`${moment} ${line.kind} ${line.node} ${line.resource} ${event.action}`, event);
  }
  return [...byKey].map(([key, event]) => {
    const reason = reasons.get(key.split(' ').slice(0, 2).join(' '));
    return event.failed && reason ? { ...event, reason } : event;
  });
}

function parsed(raw: string): Line | null {
  if (!raw.startsWith('{')) return null;
  try {
    const line = lineShape.safeParse(JSON.parse(raw));
    return line.success ? line.data : null;
  } catch {
    return null;
  }
}

function eventOf(line: Line): Event | null {
  const at = Math.round(line.at * 1000);
  const common = {
    at,
    beganAt: null,
    exact: true,
    node: line.node,
    resource: line.resource,
    failed: false,
    code: line.code,
    ms: null,
    queuedMs: null,
    what: line.what,
    reason: '',
    source: 'alert' as const,
    call: null,
  };
  switch (line.kind) {
    case 'resource': {
      const isProbe =
        line.action === 'monitor' && line.intervalMs === 0 && probeCodes.includes(line.code ?? -1);
      return {
        ...common,
        kind: 'action',
        action: line.action,
        failed: !isProbe && (line.status !== 0 || line.code !== line.expected),
        ms: line.ms,
        beganAt: line.ms === null ? null : at - line.ms,
      };
    }
    case 'node':
      return { ...common, code: null, kind: 'node', action: line.what, failed: line.what !== 'member' };
    case 'fencing':
      return { ...common, kind: 'fencing', action: fencingAction(line.what), failed: line.code !== 0 };
    case 'attribute':
      return { ...common, code: null, kind: 'attribute', action: line.name, what: line.value };
    case 'split-brain':
      return { ...common, code: null, kind: 'split-brain', action: 'found', failed: true };
    default:
      return null;
  }
}

/** `Operation reboot of node2 by node1 for pacemaker-controld.4711@node1: OK (ref=…)` */
const fencingAction = (what: string): string => /\b(reboot|off|on)\b/.exec(what)?.[1] ?? 'fencing';
