import type { Run } from '../../run.ts';
import { alone } from './alone.ts';
import { connectedNodes, outdatedNode } from './connected.ts';
import { refusals, withoutModule } from './refusals.ts';
import { playSituations } from './situations.ts';

/** Pacemaker stops everything and only keeps the attributes; the agents are called on nodes in all kinds of situations. */
export async function byHand(run: Run): Promise<void> {
  const { cluster, lab, watch, writers, steps, checks } = run;
  checks.begin('by hand');
  await steps.run('stop all resources', 120, (signal) => cluster.stopAll('node1', signal));
  writers.stop();
  watch.stop();
  await steps.run('DRBD is down on both nodes', 30, async (signal) => {
    await Promise.all(lab.nodes.map((node) => node.run('drbdadm down data', { signal })));
  });
  await playSituations(run, 'without the module', withoutModule);
  await playSituations(run, 'refusals', refusals);
  await playSituations(run, 'alone', alone);
  await playSituations(run, 'connected', connectedNodes);
  await playSituations(run, 'outdated', outdatedNode);
}
