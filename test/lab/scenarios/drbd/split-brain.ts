import { lowerDisk } from '../../cluster/disk.ts';
import { configure, type DrbdOptions } from '../../cluster/drbd-resource.ts';
import { type NodeName, nodes } from '../../settings.ts';
import { atMostOne } from '../judge.ts';
import type { Run } from '../run.ts';
import { type Call, callAgent } from './by-hand/call.ts';
import { isDrbd9 } from './cases.ts';
import { until } from './waiting.ts';

interface Policy {
  policy: string;
  /** Blocks of 64 KB that each node writes while it is Primary and alone; node1 was Primary when the link was cut. */
  written: Record<NodeName, number>;
  /** Whose data is on both nodes afterwards. */
  survivor: NodeName;
  /** DRBD 9 does not decide by who was Primary first, and one that wrote nothing has made no new generation: no split brain. */
  only84?: true;
}

/** All that the automatic policies for a split brain without a Primary can do. */
const policies: readonly Policy[] = [
  { policy: 'discard-younger-primary', written: { node1: 1, node2: 4 }, survivor: 'node1', only84: true },
  { policy: 'discard-older-primary', written: { node1: 4, node2: 1 }, survivor: 'node2', only84: true },
  { policy: 'discard-least-changes', written: { node1: 1, node2: 16 }, survivor: 'node2' },
  { policy: 'discard-zero-changes', written: { node1: 1, node2: 0 }, survivor: 'node1', only84: true },
];

/** Data goes two ways although never two nodes are Primary at once; DRBD finds out when the nodes meet again. */
export async function splitBrains(run: Run): Promise<void> {
  const { checks, cluster, steps, writers } = run;
  checks.begin('split brain');
  writers.stop();
  await steps.run('Pacemaker stops all resources', 120, (signal) => cluster.stopAll('node1', signal));
  for (const one of policiesOn(run)) await resolvedBy(run, one);
  await secondaryDiscarded(run);
  await unresolved(run);
  atMostOne(run, ['primary']);
}

/** Those that this kernel's DRBD decides by. */
export const policiesOn = (run: Pick<Run, 'drbd'>): readonly Policy[] =>
  policies.filter(({ only84 }) => !only84 || !isDrbd9(run));

async function resolvedBy(run: Run, { policy, written, survivor }: Policy): Promise<void> {
  const { checks, steps } = run;
  const title = `${policy}: the data of ${survivor} survives`;
  await steps.run(title, 120, async (signal) => {
    await meet(run, { net: [`after-sb-0pri ${policy};`] }, signal);
    const monitor = { action: 'monitor', instance: `split-${policy}` };
    const data = await split(run, written, signal, async () => {
      for (const node of nodes) await agentOn(run, node, monitor, signal);
    });
    await until(signal, () => inSync(run, signal));
    const log = await kernelLog(run, survivor, signal);
    const found = await dataOf(run, signal);
    const resolved = nodes.every((node) => found[node] === data[survivor]) && data.node1 !== data.node2;
    checks.add(title, resolved && /automatically solved. Sync from this node/.test(log), log);
    const told = await Promise.all(nodes.map((node) => agentOn(run, node, monitor, signal)));
    const isTold = nodes.every((node, index) =>
      told[index]?.includes(`what ${node === survivor ? 'the peer' : 'this node'} wrote`),
    );
    checks.add(`${policy}: the agents tell whose changes are given up`, isTold, told.join('; '));
  });
}

/** One Primary is left when the nodes meet: the other node's changes go. */
async function secondaryDiscarded(run: Run): Promise<void> {
  const { checks, lab, steps } = run;
  const title = 'after-sb-1pri discard-secondary: the data of the Primary survives';
  await steps.run(title, 120, async (signal) => {
    await meet(run, { net: ['after-sb-1pri discard-secondary;'] }, signal);
    const data = await split(run, { node1: 1, node2: 1 }, signal, async () => {
      await agentOn(run, 'node2', { action: 'promote' }, signal);
    });
    await until(signal, () => inSync(run, signal));
    const found = await dataOf(run, signal);
    checks.add(
      title,
      nodes.every((node) => found[node] === data.node2) && data.node1 !== data.node2,
      await kernelLog(run, 'node2', signal),
    );
    await lab.machine('node2').run('drbdadm secondary data', { signal });
  });
}

/** DRBD's default: both stand alone until somebody decides. The agents say so, discard nothing, and the way they name works. */
async function unresolved(run: Run): Promise<void> {
  const { checks, cluster, lab, steps } = run;
  await steps.run('no policy: by hand', 180, async (signal) => {
    await meet(run, {}, signal);
    const data = await split(run, { node1: 1, node2: 1 }, signal);
    for (const node of nodes) await until(signal, () => haveParted(run, node, signal));
    const monitor = { action: 'monitor', instance: 'split' };
    for (const node of nodes) {
      // the one that goes on connecting is told of with the second monitor at the latest
      const said = `${await agentOn(run, node, monitor, signal)}${await agentOn(run, node, monitor, signal)}`;
      const words = /split brain with .*two ways.*--discard-my-data/;
      checks.add(
        `the agent on ${node} says that data went two ways, and the way out`,
        words.test(said),
        said,
      );
    }
    const attributes = await lab
      .machine('node1')
      .run('attrd_updater --query --all --name tsha-drbd-data', { signal });
    checks.add(
      'a node attribute says split-brain on both nodes',
      attributes.match(/value="split-brain"/g)?.length === nodes.length,
      attributes,
    );
    for (const node of nodes)
      await agentOn(run, node, { action: 'start', params: { wfc_timeout: '2' } }, signal);
    const kept = await dataOf(run, signal);
    const states = await Promise.all(nodes.map((node) => cluster.drbdOn(node, signal)));
    checks.add(
      'a start, which connects again, discards nothing',
      nodes.every((node) => kept[node] === data[node]) &&
        states.some((state) => state?.connection !== 'Connected'),
      states.map((state) => state?.connection).join(', '),
    );
    // as the agents' words have it
    await lab
      .machine('node1')
      .run('drbdadm disconnect data; drbdadm connect --discard-my-data data', { signal });
    await lab.machine('node2').run('drbdadm connect data || true', { signal }); // it may be connecting already
    await until(signal, () => inSync(run, signal));
    const found = await dataOf(run, signal);
    checks.add(
      'by hand, connect --discard-my-data: the other node’s data survives',
      nodes.every((node) => found[node] === data.node2),
    );
    for (const node of nodes) {
      const said = await agentOn(run, node, monitor, signal);
      checks.add(`the agent on ${node} says that it is over`, /connected to every peer/.test(said), said);
    }
  });
}

/** A node has refused the other's data. Both stand alone then with 8.4; 9 can leave one of them connecting for ever. */
async function haveParted(run: Run, node: NodeName, signal: AbortSignal): Promise<boolean> {
  const state = await run.cluster.drbdOn(node, signal);
  const log = await run.lab
    .machine(node)
    .ask("dmesg | grep 'Split-Brain detected but unresolved'", { signal });
  return (
    log !== '' && (state?.connection === 'StandAlone' || (isDrbd9(run) && state?.connection === 'Connecting'))
  );
}

/** Both nodes up with this configuration, connected, in sync, nobody Primary. */
async function meet(run: Run, options: DrbdOptions, signal: AbortSignal): Promise<void> {
  const { lab } = run;
  for (const node of lab.nodes)
    await node.run(`${configure({ ...options, noticesWithin: 1, resyncRate: 1000 })}drbdadm adjust data`, {
      signal,
    });
  await until(signal, () => inSync(run, signal));
}

/** Cuts the link, lets one node after the other be Primary and write, and mends it. What the nodes have at that moment. */
async function split(
  run: Run,
  written: Policy['written'],
  signal: AbortSignal,
  before: () => Promise<void> = async () => {},
): Promise<Record<NodeName, string>> {
  const { cluster, lab } = run;
  await agentOn(run, 'node1', { action: 'promote' }, signal);
  await lab.network.cut('node2', 'replication');
  for (const node of nodes)
    await until(signal, async () => (await cluster.drbdOn(node, signal))?.connection === 'Connecting');
  for (const node of nodes) {
    if (node !== 'node1') await agentOn(run, node, { action: 'promote' }, signal);
    const count = written[node];
    if (count > 0)
      await lab
        .machine(node)
        .run(`dd if=/dev/urandom of=/dev/drbd1 bs=64k count=${count} oflag=direct conv=nocreat`, { signal });
    await agentOn(run, node, { action: 'demote' }, signal);
  }
  const data = await dataOf(run, signal);
  await before();
  await lab.network.mend('node2', 'replication');
  return data;
}

/** A sum of the first megabyte, below DRBD. */
async function dataOf({ lab }: Run, signal: AbortSignal): Promise<Record<NodeName, string>> {
  const read = `dd if=${lowerDisk} bs=1M count=1 iflag=direct 2> /dev/null | sha1sum`;
  const [node1 = '', node2 = ''] = await Promise.all(lab.nodes.map((node) => node.run(read, { signal })));
  return { node1, node2 };
}

async function inSync({ cluster }: Run, signal: AbortSignal): Promise<boolean> {
  const states = await Promise.all(nodes.map((node) => cluster.drbdOn(node, signal)));
  return states.every(
    (state) =>
      state?.connection === 'Connected' && state.disk === 'UpToDate' && state.peerDisk === 'UpToDate',
  );
}

const kernelLog = async ({ lab }: Run, node: NodeName, signal: AbortSignal): Promise<string> =>
  await lab.machine(node).run("dmesg | grep -o 'Split-Brain detected.*' | tail -n 1", { signal });

/** What the agent says; it must succeed. */
async function agentOn(run: Run, node: NodeName, call: Call, signal: AbortSignal): Promise<string> {
  const instance = call.instance ?? `split-${Date.now()}`;
  const { code, said } = await callAgent(run.lab.machine(node), { ...call, instance }, { signal });
  if (code !== 0) throw new Error(`${call.action} on ${node}: ${code} (${said})`);
  return said;
}
