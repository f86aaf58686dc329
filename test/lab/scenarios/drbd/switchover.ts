import { peerOf } from '../../settings.ts';
import { now, type Run } from '../run.ts';
import { verdict } from './verdict.ts';

/** The administrator takes the active node out of service, and back. */
export async function switchover(run: Run): Promise<void> {
  const { cluster, steps, checks, figures } = run;
  checks.begin('switchover');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  const happened = now();
  await steps.run(`standby ${active}: promoted on ${peer}`, 120, async (signal) => {
    await cluster.standby(active, signal);
    await cluster.allStarted(signal, peer);
  });
  figures.push({
    scenario: `standby of ${active}`,
    outcome: `promoted on ${peer}`,
    movedAfter: now() - happened,
  });
  await verdict(run, peer);
  await steps.run(`unstandby ${active}: DRBD in sync`, 120, async (signal) => {
    await cluster.unstandby(active, signal);
    await cluster.joined(active, signal);
    await cluster.inSync(signal);
  });
  checks.add('the node comes back, nothing moves', true, `${active} joined`);
}
