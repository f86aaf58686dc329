import { nodes } from '../../settings.ts';
import type { Run } from '../run.ts';
import { calm } from './tsha.ts';

/** What a scenario that failed may have left: a cable, a node whose cluster manager hangs, a split brain, a standby, a constraint. */
export async function recoverCluster(run: Run): Promise<void> {
  const { lab, steps, cluster } = run;
  await steps.run('cables, nodes and DRBD are mended', 240, async (signal) => {
    for (const node of nodes) await lab.network.mend(node, 'replication');
    for (const node of lab.nodes)
      await node.run('pkill -CONT -f "^/usr/(sbin/corosync|lib/pacemaker/)" || true', { signal });
    await cluster.start(nodes, signal);
    await cluster.forget('node1', signal);
    for (const node of lab.nodes) {
      const secondary = "drbdsetup events2 --now data | grep -q '^exists resource .*role:Secondary'";
      const away = 'drbdadm disconnect data; drbdadm connect --discard-my-data data';
      await node.ask(`drbdadm connect data; if ${secondary}; then ${away}; fi`, { signal });
    }
  });
  await calm(run);
}
