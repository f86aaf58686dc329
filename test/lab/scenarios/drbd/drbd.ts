import type { Run } from '../run.ts';
import { failingDisks } from './disks.ts';
import { firstPromotion } from './first-promotion.ts';
import { linkCut } from './link.ts';
import { killActive, powerFailure, shutdown } from './power.ts';
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
];
