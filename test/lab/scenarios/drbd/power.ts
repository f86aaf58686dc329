import { setTimeout as sleep } from 'node:timers/promises';
import { layDisk } from '../../cluster/disk.ts';
import { type NodeName, nodes, peerOf } from '../../settings.ts';
import { longestGap } from '../../workload/watch.ts';
import { now, type Run } from '../run.ts';
import { verdict } from './verdict.ts';

/** The active node dies without a word, boots again, and joins; the service stays where it went. */
export async function killActive(run: Run): Promise<void> {
  const { cluster, lab, writers, steps, checks, figures } = run;
  checks.begin('kill -9');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  const happened = now();
  await steps.run(`kill -9 ${active}: promoted on ${peer}`, 180, async (signal) => {
    await writers.write(5, now(), signal);
    await lab.kill(active);
    await cluster.allStarted(signal, peer);
  });
  figures.push({
    scenario: `kill -9 of ${active}`,
    outcome: `promoted on ${peer}`,
    movedAfter: now() - happened,
  });
  await verdict(run, peer);

  const back = now();
  await powerOn(run, active);
  await steps.run(`${active} joins: in sync`, 180, async (signal) => {
    await cluster.joined(active, signal);
    await cluster.inSync(signal);
    await cluster.allStarted(signal, peer);
  });
  checks.add('the node rejoins, nothing moves', true, `${active} joined`);
  figures.push({ scenario: `rejoin of ${active}`, outcome: 'in sync', movedAfter: now() - back });
}

/** How long one node is left alone once its cluster manager answers, and watched. Without having seen its peer it must not start what the peer may have changed. */
const aloneSeconds = 8;

/** Power fails on both nodes at once; the one that had the service comes back first. */
export async function powerFailure(run: Run): Promise<void> {
  const { cluster, lab, writers, steps, checks } = run;
  checks.begin('power fails');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  await steps.run('kill -9 of both nodes', 30, async (signal) => {
    await writers.write(5, now(), signal);
    await Promise.all(nodes.map((node) => lab.kill(node)));
  });
  await bothBack(run, active, async (node) => await powerOn(run, node));
}

/** Both nodes are shut down in order, and started in the same order: the first one up misses what was written last. */
export async function shutdown(run: Run): Promise<void> {
  const { cluster, lab, writers, steps, checks } = run;
  checks.begin('shutdown');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  await steps.run(`stop the cluster on ${peer}, write, stop it on ${active}`, 120, async (signal) => {
    const stop = 'systemctl stop pacemaker corosync';
    await lab.machine(peer).run(stop, { signal });
    await writers.write(10, now(), signal);
    await lab.machine(active).run(stop, { signal });
  });
  await bothBack(run, peer, async (node) => {
    await steps.run(`start the cluster on ${node}`, 60, (signal) => cluster.start([node], signal));
  });
}

async function bothBack(run: Run, first: NodeName, start: (node: NodeName) => Promise<void>): Promise<void> {
  const { cluster, watch, steps, checks, figures } = run;
  const began = now();
  await start(first);
  await steps.run(`${first} alone`, 60, async (signal) => {
    while (!(await cluster.seenFrom(first, signal))) await sleep(300, undefined, { signal });
    // a busy machine may keep the judge from looking
    for (let since = now(); now() < since + aloneSeconds; await sleep(300, undefined, { signal }))
      if (watch.longestUnwatched(since, [first]) > longestGap) since = now();
  });
  const early = watch.heldFrom(first, 'primary', began);
  checks.add(`${first} alone is not promoted: it cannot know what it missed`, early === undefined);
  await start(peerOf(first));
  const home = await steps.run('both up: promoted', 180, async (signal) => {
    const promoted = await cluster.allStarted(signal);
    await cluster.inSync(signal);
    return promoted;
  });
  figures.push({ scenario: `${first} up first`, outcome: `promoted on ${home}`, movedAfter: now() - began });
  await verdict(run, home);
}

async function powerOn({ lab, cluster, watch, writers, steps }: Run, node: NodeName): Promise<void> {
  await steps.run(`boot ${node}`, 120, async (signal) => {
    await lab.boot([node], signal);
    watch.start(node);
    writers.start(node);
    await lab.machine(node).run(layDisk, { signal });
    await cluster.start([node], signal);
  });
}
