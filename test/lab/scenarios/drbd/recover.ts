import { layDisk, mendDisk, releaseDisk } from '../../cluster/disk.ts';
import { configure } from '../../cluster/drbd-resource.ts';
import { type NodeName, nodes } from '../../settings.ts';
import type { Run } from '../run.ts';

/** What a scenario that failed may have left: cables, nodes, disks, DRBD's configuration, and what Pacemaker remembers. */
export async function recover(run: Run): Promise<void> {
  const { cluster, lab, steps } = run;
  await steps.run('cables, nodes and disks are mended', 180, async (signal) => {
    for (const node of nodes) await lab.network.mend(node, 'replication');
    for (const node of nodes) if (!(await answers(run, node, signal))) await bootAgain(run, node, signal);
    for (const node of lab.nodes) await node.ask(`${releaseDisk}; ${mendDisk}`, { signal });
    for (const node of lab.nodes) await node.run(configure(), { signal });
  });
  await steps.run('Pacemaker forgets, and starts everything', 240, async (signal) => {
    await cluster.start(nodes, signal);
    await cluster.forget('node1', signal);
    await cluster.allStarted(signal);
    for (const node of lab.nodes) await node.ask('drbdadm adjust data', { signal });
    await cluster.inSync(signal);
  });
}

const answers = async ({ lab }: Run, node: NodeName, signal: AbortSignal): Promise<boolean> =>
  (await lab.machine(node).ask('echo here', { signal })) === 'here';

async function bootAgain({ lab, watch, writers }: Run, node: NodeName, signal: AbortSignal): Promise<void> {
  await lab.kill(node);
  await lab.boot([node], signal);
  watch.start(node);
  writers.start(node);
  await lab.machine(node).run(layDisk, { signal });
}
