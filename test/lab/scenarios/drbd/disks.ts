import { failDisk, mendDisk } from '../../cluster/disk.ts';
import { type NodeName, peerOf } from '../../settings.ts';
import { now, type Run } from '../run.ts';
import { tag } from './cases.ts';
import { verdict } from './verdict.ts';
import { conditionIs, drbdIs, scoreIs } from './waiting.ts';

/** A disk begins to answer every request with an error while records are being written: the peer's, then the active node's own. */
export async function failingDisks(run: Run): Promise<void> {
  const { cluster, steps, checks, figures } = run;
  checks.begin('failing disk');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  await breakDisk(run, peer, active);
  await scoreIs(run, peer, 10);
  await conditionIs(run, peer, /^diskless$/);
  await conditionIs(run, active, /^peer-diskless$/);
  checks.add('a Secondary that lost its disk scores 10, and both nodes tell operators', true, peer);
  await verdict(run, active);
  await repairDisk(run, peer);

  const happened = now();
  await breakDisk(run, active, active);
  await scoreIs(run, active, 10);
  checks.add(
    `${tag(run, 94)}a Primary that lost its disk works on with the peer, and scores 10`,
    true,
    active,
  );
  await steps.run(`promoted on ${peer}, which has a disk`, 120, (signal) => cluster.allStarted(signal, peer));
  figures.push({
    scenario: `disk of ${active} fails`,
    outcome: `promoted on ${peer}`,
    movedAfter: now() - happened,
  });
  await verdict(run, peer);
  await repairDisk(run, active);
}

async function breakDisk(run: Run, node: NodeName, writing: NodeName): Promise<void> {
  const { lab, writers, steps, checks } = run;
  await steps.run(`the disk of ${node} fails: ${writing} writes on`, 60, async (signal) => {
    await writers.write(5, now(), signal);
    await lab.machine(node).run(failDisk, { signal });
    await drbdIs(run, node, { disk: 'Diskless', connection: 'Connected' }, signal);
    await writers.write(10, now(), signal);
  });
  const failed = writers.attempts.filter(({ outcome }) => outcome !== 'ok');
  checks.add('no program saw an error', failed.length === 0, failed[0]?.message ?? `${node} is Diskless`);
}

async function repairDisk(run: Run, node: NodeName): Promise<void> {
  const { cluster, lab, steps, checks } = run;
  await steps.run(`a disk for ${node} again: in sync`, 120, async (signal) => {
    await lab.machine(node).run(`${mendDisk} && drbdadm attach data`, { signal });
    await cluster.inSync(signal);
  });
  await scoreIs(run, node, 10000);
  checks.add('with its disk back and in sync, it scores 10000', true, node);
}
