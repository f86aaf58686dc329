import { layDisk } from '../../cluster/disk.ts';
import { resourceFile, resourcePath } from '../../cluster/drbd-resource.ts';
import { nodes } from '../../settings.ts';
import { LocalWriters } from '../../workload/local-writers.ts';
import { now, type Run } from '../run.ts';
import { verdict } from './verdict.ts';

/** New disks, made ready by hand; then Pacemaker starts DRBD on both, promotes one, and mounts the file system there. */
export async function firstPromotion(run: Run): Promise<void> {
  const { cluster, lab, watch, writers, steps, checks, figures } = run;
  checks.begin('first promotion');
  await steps.run('DRBD and the file system, made once by hand', 120, async (signal) => {
    await Promise.all(
      lab.nodes.map(async (node) => {
        await node.write(resourcePath, resourceFile(), { signal });
        await node.run(layDisk, { signal });
      }),
    );
    await cluster.prepareDisks(signal, `touch ${LocalWriters.file}`);
  });
  run.drbd = await steps.run("version of DRBD's module", 20, (signal) =>
    lab.machine('node1').run('modinfo -F version drbd', { signal }),
  );
  figures.push({ scenario: 'DRBD', outcome: run.drbd });
  for (const node of nodes) {
    watch.start(node);
    writers.start(node);
  }
  const began = now();
  const home = await steps.run('cluster start: DRBD promoted, file system mounted', 180, async (signal) => {
    await cluster.start(nodes, signal);
    return await cluster.allStarted(signal);
  });
  figures.push({ scenario: 'first promotion', outcome: `promoted on ${home}`, movedAfter: now() - began });
  await steps.run('every recurring monitor', 120, (signal) => cluster.monitorsGreen(home, signal));
  checks.add('every recurring monitor is green', true);
  await verdict(run, home);
}
