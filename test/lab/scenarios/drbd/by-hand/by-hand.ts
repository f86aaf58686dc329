import { configure } from '../../../cluster/drbd-resource.ts';
import type { Run } from '../../run.ts';
import { alone } from './alone.ts';
import { connectedNodes, outdatedNode } from './connected.ts';
import { refusals, withoutModule } from './refusals.ts';
import { secondResource } from './second-resource.ts';
import { playSituations } from './situations.ts';

/** The agent is called on nodes in all kinds of situations. Pacemaker has stopped its resources, and only keeps the attributes. */
export async function byHand(run: Run): Promise<void> {
  const { lab, watch, steps, checks } = run;
  checks.begin('by hand');
  watch.stop(); // one of the situations is two Primaries
  await steps.run('DRBD is down on both nodes', 30, async (signal) => {
    await Promise.all(lab.nodes.map((node) => node.run(`${configure()}drbdadm down data`, { signal })));
  });
  await playSituations(run, 'without the module', withoutModule);
  await playSituations(run, 'refusals', refusals);
  await playSituations(run, 'alone', alone);
  await playSituations(run, 'connected', connectedNodes);
  await playSituations(run, 'outdated', outdatedNode);
  await playSituations(run, 'second resource', secondResource);
}
