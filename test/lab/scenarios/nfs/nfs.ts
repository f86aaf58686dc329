import { setGrace } from '../../grace.ts';
import { start } from '../bring-up.ts';
import type { Run } from '../run.ts';
import { wanted } from '../wanted.ts';
import { alone } from './alone.ts';
import { lateClaims } from './claims.ts';
import { hostileMoves } from './hostile-moves.ts';
import { reboots } from './reboot.ts';
import { switchovers } from './switchovers.ts';

/** What clients have to come back, from here on. */
async function graceOfPlan({ lab, plan, steps }: Run): Promise<void> {
  await steps.run(`${plan.grace} s of grace`, 60, async (signal) => {
    for (const node of lab.nodes) await setGrace(node, plan.grace, signal);
  });
}

/** The NFS agents on a kernel that has a server: each by itself first, then as a cluster with clients. */
export const nfsScenarios: ((run: Run) => Promise<void>)[] = [
  ...wanted([alone]),
  graceOfPlan,
  start,
  ...wanted([reboots, lateClaims, switchovers, hostileMoves]),
];
