import { standby, unstandby } from '../failover.ts';
import { wanted } from '../wanted.ts';
import { killedAtRandom } from './kills.ts';
import { cheapToAsk, lookAround } from './looks.ts';
import { maintain } from './maintenance.ts';
import { repairSplitBrain } from './split-brain.ts';
import { degradedAndSyncing, halfDead } from './states.ts';
import { switchThereAndBack } from './switch.ts';

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
