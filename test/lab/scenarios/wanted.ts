import type { Run } from './run.ts';

type Scenario = (run: Run) => Promise<void>;

/** TSHA_LAB_ONLY=switch,standby plays those whose names hold one of the words: for work on one of them. */
const only = process.env['TSHA_LAB_ONLY']?.split(',');
export const wanted = (scenarios: readonly Scenario[]): Scenario[] =>
  scenarios.filter(({ name }) => !only || only.some((word) => name.toLowerCase().includes(word)));
