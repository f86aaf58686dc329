import type { Situation, Verdict } from './policy.ts';

/**
 * A parameter has an impossible value, and not only those that a reload can change (`lib/ocf/despite.ts`). The resource may still run from
 * before the change, so whoever must tell or end that looks at the machine first. A recurring monitor does not say "misconfigured" of it: that
 * would stop the resource on every node.
 */
export const whenInvalid: Readonly<Record<Situation, Verdict>> = {
  start: 'misconfigured',
  promote: 'misconfigured',
  reload: 'misconfigured',
  validate: 'misconfigured',
  demote: 'look',
  monitor: 'failed',
  probe: 'look',
  notify: 'ok',
  stop: 'look',
};

/** What is to run anew must be right, and whoever validates wants to hear what is wrong. */
export const mustBeRight: ReadonlySet<Situation> = new Set(['start', 'validate']);
