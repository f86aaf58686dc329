import type { NodeName } from '../../settings.ts';
import { compareRecords } from '../../workload/journal.ts';
import { LocalWriters } from '../../workload/local-writers.ts';
import { atMostOne } from '../judge.ts';
import { now, type Run } from '../run.ts';

/** The service works on a node, has all that was ever acknowledged, and nothing was ever Primary or mounted twice. */
export async function verdict(run: Run, active: NodeName): Promise<void> {
  const { cluster, lab, writers, steps, checks } = run;
  const records = await steps.run(`records on ${active}`, 60, async (signal) => {
    await writers.write(10, now(), signal);
    // first what was acknowledged, then what is there
    const { acknowledged } = writers;
    const text = await lab.machine(active).run(`cat ${LocalWriters.file}`, { signal });
    return compareRecords(acknowledged, text);
  });
  const { acknowledged, found, lost, repeated } = records;
  checks.add(
    'every acknowledged record is there once',
    lost.length === 0 && repeated.length === 0,
    `${found} of ${acknowledged}`,
  );
  atMostOne(run, ['primary', 'mounted']);

  const state = await steps.run('state of the cluster', 60, (signal) => cluster.seenFrom(active, signal));
  const failures = state?.failures ?? [];
  checks.add(
    'no failed action',
    state !== undefined && failures.length === 0,
    failures
      .map(({ resource, task, node, reason }) => `${resource} ${task} on ${node}: ${reason}`)
      .join('; '),
  );
}
