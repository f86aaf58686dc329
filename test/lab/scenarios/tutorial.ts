import { readFile } from 'node:fs/promises';
import { makeVolumes } from '../tutorial/lab-values.ts';
import { playPage } from '../tutorial/play.ts';
import type { Run } from './run.ts';

/** What the image brings of a cluster, the page makes itself. */
const bare = [
  'systemctl stop pacemaker corosync nfs-server',
  'rm -rf /etc/drbd.d/data.res /etc/corosync/corosync.conf /etc/corosync/authkey /nfsdata',
  'rm -f /var/lib/pacemaker/cib/* /etc/nfs.conf.d/ha.conf /etc/modules-load.d/ha-nfs.conf',
];

/** Two machines as an administrator has them: a second disk, nothing on it, and a root who may log in to the other one. */
export async function bareMachines({ lab, steps, checks }: Run): Promise<void> {
  checks.begin('tutorial');
  const key = await readFile(lab.image.sshKey, 'utf8');
  await steps.run('two bare nodes', 180, (signal) =>
    Promise.all(
      lab.nodes.map(async (node) => {
        await node.run(`${bare.join('; ')}; ${makeVolumes}`, { signal, timeout: 120_000 });
        await node.write('/root/.ssh/id_ed25519', key, { signal });
        await node.run(
          'chmod 600 /root/.ssh/id_ed25519; echo "StrictHostKeyChecking accept-new" > /root/.ssh/config',
          { signal },
        );
      }),
    ),
  );
}

export const playTutorial = (run: Run): Promise<void> => playPage(run, 'tutorial.md');
