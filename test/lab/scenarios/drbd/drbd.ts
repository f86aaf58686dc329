import type { Run } from '../run.ts';
import { firstPromotion } from './first-promotion.ts';

/** Two nodes with DRBD and a file system on it, through everything that can happen to disks, links and nodes. */
export const drbdScenarios: ((run: Run) => Promise<void>)[] = [firstPromotion];
