import type { Run } from '../run.ts';
import { exportfsAlone, madeFilesystems } from './exportfs-alone.ts';
import { forgedAlone } from './forged-alone.ts';
import { hostileAlone } from './hostile-alone.ts';
import { nfsnotifyAlone } from './nfsnotify-alone.ts';
import { nfsserverAlone } from './nfsserver-alone.ts';
import { ocft } from './ocft.ts';
import { recordsAlone } from './records-alone.ts';
import { meet } from './situations.ts';

const ownDisk = 'mkdir -p /srv/ha && mkfs.xfs -q -f /dev/ubdb && mount /dev/ubdb /srv/ha';
const cleared = 'umount /srv/ha && wipefs -q -a /dev/ubdb';

/** Before there is a cluster: each agent called by hand, the server on one node, what needs a server on the other. */
export async function alone(run: Run): Promise<void> {
  const { lab, steps, checks } = run;
  checks.begin('alone');
  const [node1, node2] = [lab.machine('node1'), lab.machine('node2')];
  await steps.run('agents called by hand, in all kinds of situations', 1800, async (signal) => {
    await Promise.all([
      (async () => {
        await node1.run(ownDisk, { signal });
        await meet(run, node1, [...nfsserverAlone, ...hostileAlone, ...forgedAlone], signal);
        await node1.run(cleared, { signal });
        await ocft(run, node1, 'nfsserver', 'nfsserver#1-9', signal);
        await node1.run('systemctl stop nfs-server', { signal });
      })(),
      (async () => {
        await node2.run(`${ownDisk}\n${madeFilesystems}`, { signal });
        await meet(run, node2, [...exportfsAlone, ...nfsnotifyAlone, ...recordsAlone], signal);
        await node2.run(cleared, { signal });
        // these clients were to lose what they had
        await lab.machine('client').run('dmesg --clear', { signal });
      })(),
    ]);
  });
}
