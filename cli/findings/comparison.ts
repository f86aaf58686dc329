import { isCode } from '../../lib/findings/catalogue.ts';
import { type Finding, finding } from '../../lib/findings/finding.ts';
import type { Known } from '../facts/known.ts';
import type { LookAnswer } from '../facts/other-node.ts';

/** What two nodes should have alike, and when it was asked for, in milliseconds since 1970. */
export type Compared = {
  readonly node: string;
  readonly own: Omit<LookAnswer, 'findings'>;
  readonly peer: string;
  readonly theirs: Known<LookAnswer>;
  readonly askedAt: number;
  readonly answeredAt: number;
};

const longestApartMs = 2000;

/** What the other node says of itself, and what differs between the two. */
export function* findingsBetween(compared: Compared): Generator<Finding> {
  const { node, own, peer, theirs } = compared;
  if (theirs.is === 'unknown') {
    yield finding('NODE_NOT_LOOKED_AT', { node: peer, reason: theirs.why }, { node: peer });
    return;
  }
  const apart = apartMs(theirs.value.clock, compared);
  if (apart > longestApartMs)
    yield finding('CLOCKS_DIFFER', { node, peer, seconds: (apart / 1000).toFixed(1) }, { node: peer });
  for (const [what, version] of Object.entries(own.versions)) {
    const other = theirs.value.versions[what];
    if (other === undefined || other === version) continue;
    const versions = `${node} ${version ?? '–'}, ${peer} ${other ?? '–'}`;
    yield finding('VERSIONS_DIFFER', { what, versions }, { evidence: [{ source: 'ssh', text: versions }] });
  }
  for (const [what, digest] of Object.entries(own.configurations)) {
    const other = theirs.value.configurations[what];
    if (other === undefined || other === digest) continue;
    const evidence = [{ source: 'digests', text: `${node} ${digest ?? '–'}, ${peer} ${other ?? '–'}` }];
    yield finding('CONFIGURATIONS_DIFFER', { what, node, peer }, { node: peer, evidence });
  }
  for (const { code, facts, evidence } of theirs.value.findings)
    if (isCode(code)) yield { code, facts, node: peer, resource: facts['resource'] ?? null, evidence };
}

/** At least so far; the answer was on its way for some of the time between. */
const apartMs = (clock: number, { askedAt, answeredAt }: Compared): number =>
  clock < askedAt ? askedAt - clock : clock > answeredAt ? clock - answeredAt : 0;
