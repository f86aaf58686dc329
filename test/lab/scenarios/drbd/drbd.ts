import type { Run } from '../run.ts';
import { byHand } from './by-hand/by-hand.ts';
import { failingDisks } from './disks.ts';
import { firstPromotion } from './first-promotion.ts';
import { linkCut } from './link.ts';
import { killActive, powerFailure, shutdown } from './power.ts';
import { randomSequences } from './random/random.ts';
import { splitBrains } from './split-brain.ts';
import { switchover } from './switchover.ts';

/** Two nodes with DRBD and a file system on it, through everything that can happen to disks, links and nodes. */
export const drbdScenarios: ((run: Run) => Promise<void>)[] = [
  firstPromotion,
  linkCut,
  switchover,
  failingDisks,
  killActive,
  powerFailure,
  shutdown,
  splitBrains,
  byHand,
  randomSequences,
];
