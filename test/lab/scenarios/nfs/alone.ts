import type { Run } from '../run.ts';
import { nfsserverAlone } from './nfsserver-alone.ts';
import { meet } from './situations.ts';

const ownDisk = 'mkdir -p /srv/ha && mkfs.xfs -q -f /dev/ubdb && mount /dev/ubdb /srv/ha';
const cleared = 'umount /srv/ha && wipefs -q -a /dev/ubdb';

/** Before there is a cluster: both nodes at the same time, each agent called by hand. */
export async function alone(run: Run): Promise<void> {
  const { lab, steps, checks } = run;
  checks.begin('alone');
  await steps.run('agents called by hand, in all kinds of situations', 300, async (signal) => {
    const machine = lab.machine('node1');
    await machine.run(ownDisk, { signal });
    await meet(run, machine, nfsserverAlone, signal);
    await machine.run(cleared, { signal });
  });
}
