import { configure } from '../../../cluster/drbd-resource.ts';
import type { NodeName } from '../../../settings.ts';
import type { Run } from '../../run.ts';
import { alone } from './alone.ts';
import { connectedNodes, outdatedNode } from './connected.ts';
import { refusals, withoutModule } from './refusals.ts';
import { secondResource } from './second-resource.ts';
import { playBeside, playSituations, type Situation } from './situations.ts';

/** The agent is called on nodes in all kinds of situations. Pacemaker has stopped its resources, and only keeps the attributes. */
export async function byHand(run: Run): Promise<void> {
  const { cluster, lab, watch, steps, checks } = run;
  checks.begin('by hand');
  await steps.run('Pacemaker stops all resources', 120, (signal) => cluster.stopAll('node1', signal));
  watch.stop(); // one of the situations is two Primaries
  await steps.run('DRBD is down on both nodes', 30, async (signal) => {
    // not at once: where two leave each other at the same moment, DRBD 8.4 may take either for Outdated
    for (const node of lab.nodes) await node.run(`${configure()}drbdadm down data`, { signal });
  });
  await playBeside(run, [
    ['without the module, and alone', [...withoutModule, ...alone]],
    ['refusals, and a second resource', [...on('node2', refusals), ...secondResource('node2')]],
  ]);
  await playSituations(run, 'connected', connectedNodes);
  await playSituations(run, 'outdated', outdatedNode);
}

const on = (node: NodeName, situations: readonly Situation[]): Situation[] =>
  situations.map((situation) => ({ ...situation, on: node }));
