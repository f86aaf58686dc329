import { type Finding, finding } from '../../lib/findings/finding.ts';
import { secondsIn } from '../../lib/host/cluster-time.ts';
import { type Cib, metaOf, type NodeState } from '../facts/cib.ts';
import type { Facts } from '../facts/gather.ts';

type Failed = { readonly action: string; readonly count: number; readonly last: number | null };

/**
 * Where Pacemaker tries a resource no more, by the failures that it counts for each node (`fail-count-RESOURCE#ACTION_INTERVAL`). One start
 * that failed counts as INFINITY (start-failure-is-fatal), other failures bar the node once there are as many as migration-threshold.
 */
export function* barredNodes({ time }: Facts, cib: Cib): Generator<Finding> {
  for (const [node, state] of cib.nodes)
    for (const primitive of cib.primitives) {
      const of = (name: string) => metaOf(cib, primitive, name)?.value;
      const failed = failuresOf(state, primitive.id).filter(({ last }) => !isForgotten(of, last, time));
      const sum = failed.reduce((total, { count }) => total + count, 0);
      const threshold = Number(of('migration-threshold') ?? Number.POSITIVE_INFINITY);
      if (sum === 0 || !(sum === Number.POSITIVE_INFINITY || (threshold > 0 && sum >= threshold))) continue;
      const worst = failed.toSorted((one, other) => other.count - one.count)[0];
      const is = { resource: primitive.id, node, action: worst?.action ?? '?' };
      const text = failed.map(({ action, count }) => `${action} ${count}`).join(', ');
      yield finding('BARRED_BY_FAILURES', is, {
        ...{ node, resource: primitive.id },
        evidence: [{ source: 'fail-count', text }],
      });
    }
}

function failuresOf({ transient }: NodeState, resource: string): readonly Failed[] {
  return Object.entries(transient).flatMap(([name, value]) => {
    const [, id, action = '', interval] = /^fail-count-([^#]+)#([^#]+)_(\d+)$/.exec(name) ?? [];
    if (id !== resource) return [];
    const count = value === 'INFINITY' || value === '+INFINITY' ? Number.POSITIVE_INFINITY : Number(value);
    const last = Number(transient[`last-failure-${id}#${action}_${interval}`]);
    return [{ action, count: count || 0, last: last || null }];
  });
}

/** After failure-timeout Pacemaker forgets a failure. */
function isForgotten(of: (name: string) => string | undefined, last: number | null, time: number): boolean {
  const seconds = secondsIn(of('failure-timeout') ?? '0') ?? 0;
  return seconds > 0 && last !== null && time / 1000 > last + seconds;
}
