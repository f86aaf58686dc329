import { type Finding, finding } from '../../lib/findings/finding.ts';

/** What a node should have found out by itself, and could not. */
export const couldNot = (node: string, subject: string, reason: string): Finding =>
  finding('COULD_NOT_FIND_OUT', { subject, reason }, { node });
