import type { Finding } from '../../lib/findings/finding.ts';
import { exitStatus } from '../exit.ts';
import { commandsOf, endingFor, entryOf, sentenceOf } from './findings.ts';
import type { Envelope } from './schema.ts';

type Content = {
  readonly kind: Envelope['kind'];
  readonly time: number;
  readonly node: string;
  readonly findings: readonly Finding[];
  readonly data: Envelope['data'];
  readonly level?: number;
};

/** What every command writes with --json; sentences are English whatever the language, codes are for programs. */
export const envelope = ({ kind, time, node, findings, data, level }: Content): Envelope =>
  ({
    tsha: 1,
    kind,
    time: new Date(time).toISOString(),
    node,
    level: level ?? exitStatus[endingFor(findings)],
    findings: findings.map((finding) => ({
      code: finding.code,
      severity: entryOf(finding).severity,
      node: finding.node,
      resource: finding.resource,
      what: sentenceOf(finding, 'en'),
      facts: finding.facts,
      evidence: finding.evidence.map(({ source, text }) => ({ source, text })),
      fix: [...commandsOf(finding)],
      see: entryOf(finding).see,
    })),
    data,
  }) as Envelope;
