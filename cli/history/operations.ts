import { below, type Element, attribute as of } from '../facts/xml.ts';
import { type Event, probeCodes } from './event.ts';

/**
 * What the status section of a CIB remembers: of each resource on each node the last action of each kind, and the last failure.
 * `last-rc-change` is when the action began, in whole seconds.
 */
export function eventsInCib(cib: Element, source: 'cib' | 'transition'): readonly Event[] {
  return below(cib, 'status', 'node_state').flatMap((state) =>
    below(state, 'lrm', 'lrm_resources', 'lrm_resource').flatMap((resource) =>
      below(resource, 'lrm_rsc_op').flatMap((op) =>
        eventOf(op, of(state, 'uname'), of(resource, 'id'), source),
      ),
    ),
  );
}

/** Monitors that went well are no news, nor is what has not ended. */
function eventOf(op: Element, node: string, id: string, source: 'cib' | 'transition'): readonly Event[] {
  const action = of(op, 'operation');
  const status = Number(of(op, 'op-status') || 0);
  const code = Number(of(op, 'rc-code'));
  // action:transition:expected:uuid
  const expected = Number(of(op, 'transition-key').split(':')[2] ?? Number.NaN);
  const isProbe = action === 'monitor' && of(op, 'interval') === '0';
  const isWell = isProbe
    ? status === 0 && probeCodes.includes(code)
    : status === 0 && (Number.isNaN(expected) ? probeCodes.includes(code) : code === expected);
  const began = Number(of(op, 'last-rc-change'));
  if (status < 0 || status === 1 || action === 'notify' || !(began > 0) || (action === 'monitor' && isWell))
    return [];
  const ms = numberOf(of(op, 'exec-time'));
  return [
    {
      at: began * 1000 + (ms ?? 0),
      beganAt: began * 1000,
      exact: false,
      kind: 'action',
      node,
      resource: id.replace(/:\d+$/, ''),
      action,
      failed: !isWell,
      code,
      ms,
      queuedMs: numberOf(of(op, 'queue-time')),
      what: '',
      reason: of(op, 'exit-reason'),
      source,
      call: numberOf(of(op, 'call-id')),
    },
  ];
}

const numberOf = (text: string): number | null => (/^\d+$/.test(text) ? Number(text) : null);
