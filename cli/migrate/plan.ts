import { isInMaintenance, type Migration, migrationIn, outdated, type Provider } from '../facts/migration.ts';
import { type PairInCib, pairIn } from '../facts/pair-in-cib.ts';
import { type Element, attribute as of } from '../facts/xml.ts';
import { type Agents, agentsIn, agentsOf, differing, idsOf } from './agents.ts';

/** What is there, and what is to come of it. */
export type Plan = {
  readonly to: Provider;
  readonly node: string;
  readonly cib: Element;
  readonly pair: PairInCib;
  readonly group: string;
  readonly ids: readonly string[];
  readonly before: Agents;
  readonly wanted: Agents;
  /** Of the wanted ones those that are other ones now. */
  readonly changes: Agents;
  /** One that has begun and not ended, by whoever. */
  readonly halfway: Migration | null;
  readonly isResumed: boolean;
};

export function planFor(cib: Element, node: string, to: Provider): Plan {
  const pair = pairIn(cib);
  const ids = idsOf(pair);
  const [before, wanted] = [agentsIn(cib, ids), agentsOf(pair, to)];
  const halfway = migrationIn(cib);
  const isStale = outdated(cib).some(({ resource }) => ids.includes(resource));
  return {
    ...{ to, node, cib, pair, ids, before, wanted, halfway },
    group: of(pair.group, 'id'),
    changes: differing(before, wanted),
    isResumed: halfway !== null || (isStale && isInMaintenance(cib)),
  };
}
