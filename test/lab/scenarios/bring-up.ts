import fs from 'fs-extra';
import { stageAgents } from '../agents.ts';
import { writeCib } from '../cluster/cib.ts';
import { Cluster } from '../cluster/cluster.ts';
import { agentsOf } from '../cluster/configuration.ts';
import { askTools } from '../cluster/tools.ts';
import { stageGrace } from '../grace.ts';
import { buildImage, type Image } from '../image/image.ts';
import { fetchKernel, type Kernel } from '../image/kernel.ts';
import { Lab } from '../machines/lab.ts';
import { stagePackages } from '../packages.ts';
import type { Checks, Figures } from '../report/checks.ts';
import type { Steps } from '../report/steps.ts';
import { type Grace, isStock, machinesOf, type NodeName, nodes, type Suite } from '../settings.ts';
import { LocalWriters } from '../workload/local-writers.ts';
import { NeighbourWatch } from '../workload/neighbour.ts';
import { Watch } from '../workload/watch.ts';
import { Workload, workloadFolder } from '../workload/workload.ts';
import { now, type Plan, type Run } from './run.ts';

export async function prepareImage(suite: Suite, steps: Steps): Promise<{ image: Image; kernel: Kernel }> {
  const kernel = await steps.run('User-Mode Linux kernel', 180, fetchKernel);
  const image = await steps.run(`${suite} image`, 600, (signal) => buildImage(suite, kernel, signal));
  return { image, kernel };
}

export interface Report {
  steps: Steps;
  checks: Checks;
  figures: Figures[];
}

/** The agents called by hand, before there is a cluster, are looked at with the recommended time: their tables name it. */
const atBoot = ({ campaign, grace }: Plan): Grace => (campaign === 'nfs' && grace < 90 ? 15 : grace);

/** From nothing to four running machines with the agents, the clients' programs and the cluster's configuration on them. */
export async function bootLab(plan: Plan, report: Report, onLab: (lab: Lab) => void): Promise<Run> {
  const { steps } = report;
  const { image, kernel } = await prepareImage(plan.suite, steps);
  const staged = await steps.run(`${plan.provider} agents`, 300, (signal) =>
    stageAgents(plan.provider, signal, plan.campaign),
  );
  try {
    await stageGrace(staged, atBoot(plan));
    // these make their own
    const cib =
      plan.campaign === 'tutorial' || plan.campaign === 'build'
        ? undefined
        : await steps.run('cluster configuration by pcs', 180, (signal) =>
            writeCib(image, plan, staged, signal),
          );
    if (plan.campaign === 'failover' && plan.purpose === 'test' && !isStock(plan.provider)) {
      report.checks.begin('tools');
      const answers = await steps.run('pcs, crmsh and Pacemaker look at the agents', 240, (signal) =>
        askTools(image, plan.provider, staged, signal),
      );
      for (const { tool, complaints } of answers)
        report.checks.add(`${tool} is clean for all six`, complaints.length === 0, complaints.join('\n'));
    }
    const parcel = plan.campaign === 'packages' ? await steps.run('packages', 900, stagePackages) : staged;
    const lab = await steps.run('network and disks', 60, () => Lab.create(plan, image, kernel, parcel));
    if (parcel !== staged) await fs.remove(parcel);
    onLab(lab);
    const machines = machinesOf(plan.campaign).map((name) => lab.machine(name));
    const names = machines.map(({ name }) => name);
    await steps.run(`boot ${names.join(', ')}`, 120, (signal) => lab.boot(names, signal));

    const cluster = new Cluster(lab, agentsOf(plan.campaign));
    await steps.run('agents, programs and configuration into the machines', 180, async (signal) => {
      await Promise.all(machines.map((machine) => machine.copyIn(workloadFolder, '/root/lab', { signal })));
      await Promise.all(lab.nodes.map((node) => node.unpackParcel({ signal })));
      await Promise.all(lab.nodes.map((node) => node.run('systemctl daemon-reload', { signal })));
      if (cib !== undefined) await cluster.configure(cib, signal);
    });
    return {
      plan,
      lab,
      cluster,
      workload: new Workload(lab),
      writers: new LocalWriters(lab),
      watch: new Watch(lab),
      neighbour: new NeighbourWatch(lab),
      ...report,
    };
  } finally {
    await fs.remove(staged);
  }
}

/** The cluster comes up for the first time, and the clients begin their work. */
export async function start(run: Run): Promise<void> {
  const { workload, neighbour, steps, checks } = run;
  checks.begin('start');
  await startCluster(run);
  await steps.run('client and rival mount NFSv4.2 and NFSv3', 180, (signal) => workload.mount(signal));
  neighbour.start();
  await steps.run('clients write and lock', 180, (signal) => workload.start(signal));
}

/** Returns the node that everything runs on. */
export async function startCluster(run: Run): Promise<NodeName> {
  const { cluster, watch, steps, checks, figures } = run;
  await steps.run('DRBD and the file system, made once by hand', 120, (signal) =>
    cluster.prepareDisks(signal),
  );
  for (const node of nodes) watch.start(node);

  const began = now();
  const home = await steps.run('cluster start: all six resources', 300, async (signal) => {
    await cluster.start(nodes, signal);
    return await cluster.allStarted(signal);
  });
  figures.push({ scenario: 'start', outcome: `all started on ${home}`, movedAfter: now() - began });
  checks.add('all six resources start', true, `on ${home}`);

  // the seed has none for the promoted side
  if (run.plan.campaign !== 'seed') {
    await steps.run('every recurring monitor', 120, (signal) => cluster.monitorsGreen(home, signal));
    checks.add('every recurring monitor is green', true);
  }
  const state = await steps.run('state of the cluster', 60, (signal) => cluster.seenFrom(home, signal));
  const complaints = [
    ...(state?.failures ?? []).map(
      ({ resource, task, node, reason }) => `${resource} ${task} on ${node}: ${reason}`,
    ),
    ...(state?.failCounts ?? []).map(({ resource, count }) => `${resource} fail-count ${count}`),
  ];
  checks.add(
    'no failed action, no fail-count',
    state !== undefined && complaints.length === 0,
    complaints.join('; '),
  );
  return home;
}
