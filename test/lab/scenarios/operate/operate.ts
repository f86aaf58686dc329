import { standby, unstandby } from '../failover.ts';
import type { Run } from '../run.ts';
import { killedAtRandom } from './kills.ts';
import { cheapToAsk, lookAround } from './looks.ts';
import { maintain } from './maintenance.ts';
import { repairSplitBrain } from './split-brain.ts';
import { degradedAndSyncing, halfDead } from './states.ts';
import { switchThereAndBack } from './switch.ts';

type Scenario = (run: Run) => Promise<void>;

/** TSHA_LAB_ONLY=switch,standby plays those whose names hold one of the words: for work on one of them. */
const only = process.env['TSHA_LAB_ONLY']?.split(',');
export const wanted = (scenarios: readonly Scenario[]): Scenario[] =>
  scenarios.filter(({ name }) => !only || only.some((word) => name.toLowerCase().includes(word)));

/** `tsha` on the running cluster, with clients at work; the standby is there to be compared with the switch. */
export const operateScenarios = wanted([
  lookAround,
  cheapToAsk,
  degradedAndSyncing,
  halfDead,
  switchThereAndBack,
  standby,
  unstandby,
  maintain,
  repairSplitBrain,
  killedAtRandom,
]);

/** What only looks: on Debian 13, and on a cluster of the stock agents. */
export const lookingScenarios = wanted([lookAround, degradedAndSyncing, halfDead]);
