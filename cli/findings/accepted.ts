import { existsSync } from 'node:fs';
import { type Finding, finding } from '../../lib/findings/finding.ts';
import type { Language } from '../output/terminal.ts';

/** A finding that is meant to be so, until the end of that day (`2027-01-31`). */
type Acceptance = { readonly code: string; readonly why: string; readonly until: string };

/** `accept:` of the configuration; none without a file, unless one was asked for by name. Throws `CommandError` for a file with errors. */
export async function acceptances(file: string | null, language: Language): Promise<readonly Acceptance[]> {
  const { configurationFile, readAccepted } = await import('../configuration/read.ts');
  if (file === null && !existsSync(configurationFile)) return [];
  return readAccepted(file ?? configurationFile, language);
}

/** In the place of each finding that is accepted at `time`, a hint that says so; danger to data is never taken away. */
export function withAcceptances(
  findings: readonly Finding[],
  accepted: readonly Acceptance[],
  time: number,
  isDanger: (one: Finding) => boolean,
): readonly Finding[] {
  const today = new Date(time).toISOString().slice(0, 10);
  const valid = accepted.filter(({ until }) => until >= today);
  return findings.map((one) => {
    const acceptance = isDanger(one) ? undefined : valid.find(({ code }) => code === one.code);
    if (!acceptance) return one;
    const { code, why, until } = acceptance;
    const { node, resource, evidence } = one;
    return finding(
      'ACCEPTED',
      { code, why, until },
      { node: node ?? undefined, resource: resource ?? undefined, evidence },
    );
  });
}
