import { peerOf } from '../../settings.ts';
import { judge } from '../judge.ts';
import { now, type Run } from '../run.ts';
import { activeNode, calm, constraints, copies, tsha } from './tsha.ts';

const events = '/run/lab-drbd-events';

/** Each way while clients write; the second copy stays all the time, which a standby takes away. */
export async function switchThereAndBack(run: Run): Promise<void> {
  const { checks, lab, steps, cluster } = run;
  for (const title of ['there', 'and back']) {
    checks.begin('switch');
    const active = await activeNode(run);
    const peer = peerOf(active);
    // every change of DRBD's state on either node, while it lasts
    for (const node of lab.nodes)
      await steps.run(`${node.name}: DRBD is watched`, 30, (signal) =>
        node.run(`drbdsetup events2 data > ${events} 2>&1 < /dev/null & echo $! > ${events}.pid`, { signal }),
      );
    const happened = now();
    const answer = await steps.run(`tsha switch ${peer}`, 300, (signal) =>
      tsha(run, active, `switch ${peer} -y`, signal, 280_000),
    );
    checks.add(
      `switch ${title}: it says that ${peer} serves`,
      answer.code === 0 && answer.said.includes(`Serving from ${peer}`),
      answer.said,
    );
    const home = await steps.run('where the resources are', 60, (signal) => cluster.allStarted(signal, peer));
    checks.add(
      `switch ${title}: the second copy is there at once`,
      home === peer && (await copies(run, peer)),
    );
    const seen = await steps.run('what DRBD told', 60, async (signal) => {
      const lines: string[] = [];
      for (const node of lab.nodes)
        lines.push(await node.run(`kill $(cat ${events}.pid); cat ${events}`, { signal }));
      return lines.join('\n');
    });
    const lost = seen
      .split('\n')
      .filter((line) =>
        /disk:(?!UpToDate)\w|connection:(?!Connected)\w|replication:(?!Established)\w/.test(line),
      );
    checks.add(
      `switch ${title}: the second copy was UpToDate throughout`,
      lost.length === 0 && /role:Primary/.test(seen),
      lost.slice(0, 5).join('\n'),
    );
    checks.add(`switch ${title}: no constraint is left`, !/cli-/.test(await constraints(run, peer)));
    await judge(run, peer, happened, `tsha switch to ${peer}`);
    await calm(run);
  }
}
