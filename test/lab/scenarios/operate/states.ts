import { setTimeout as sleep } from 'node:timers/promises';
import { exportedFolder } from '../../cluster/configuration.ts';
import { type NodeName, nodes, peerOf } from '../../settings.ts';
import type { Run } from '../run.ts';
import { activeNode, calm, expectTsha } from './tsha.ts';

/** Until a node's DRBD is in this state. */
export async function linkIs(run: Run, node: NodeName, state: string, signal: AbortSignal): Promise<void> {
  while ((await run.cluster.drbdOn(node, signal))?.connection !== state)
    await sleep(300, undefined, { signal });
}

/** Until the other node's Pacemaker counts a node as offline. */
export async function isGone({ cluster }: Run, node: NodeName, signal: AbortSignal): Promise<void> {
  for (;;) {
    const state = await cluster.seenFrom(peerOf(node), signal);
    if (state?.nodes.some(({ name, online }) => name === node && !online)) return;
    await sleep(500, undefined, { signal });
  }
}

export const cutReplication = (run: Run): Promise<void> =>
  run.steps.run('the replication link is cut', 60, async (signal) => {
    await run.lab.network.cut('node2', 'replication');
    for (const node of nodes) await linkIs(run, node, 'Connecting', signal);
  });

const bulk = `${exportedFolder}/bulk`;

const resyncRate = async ({ lab }: Run, rate: string, signal: AbortSignal): Promise<void> => {
  for (const node of lab.nodes)
    await node.run(`drbdadm disk-options --c-plan-ahead=0 --resync-rate=${rate} data`, { signal });
};

/** After a cut; it takes longer than anybody needs to look at it. */
export const syncSlowly = (run: Run, active: NodeName): Promise<void> =>
  run.steps.run('much is written, then the link comes back', 120, async (signal) => {
    await run.lab.machine(active).run(`dd if=/dev/zero of=${bulk} bs=1M count=120 conv=fsync`, { signal });
    await resyncRate(run, '3M', signal);
    await run.lab.network.mend('node2', 'replication');
    await linkIs(run, active, 'Connected', signal);
    await sleep(3000, undefined, { signal });
  });

export const syncQuickly = (run: Run, active: NodeName): Promise<void> =>
  run.steps.run('quickly to the end', 120, async (signal) => {
    await resyncRate(run, '100M', signal);
    await run.cluster.inSync(signal);
    await run.lab.machine(active).run(`rm -f ${bulk}`, { signal });
  });

/** The cable of replication is pulled: clients go on, without a second copy. Then it is back, and the copying takes its time. */
export async function degradedAndSyncing(run: Run): Promise<void> {
  const { checks } = run;
  checks.begin('degraded');
  const active = await activeNode(run);
  const peer = peerOf(active);
  await cutReplication(run);
  const serves = new RegExp(`DEGRADED +${active} serves 10\\.77\\.0\\.20 .*without a second copy`);
  for (const node of [active, peer]) {
    const screen = node === active ? { screen: 'degraded' } : {};
    await expectTsha(run, {
      ...{ node, words: 'status', code: 1, ...screen },
      says: new RegExp(`${serves.source}[\\s\\S]*! DISCONNECTED +data does not reach`),
    });
    await expectTsha(run, { node, words: 'status -q', code: 1, says: /DEGRADED/ });
    await expectTsha(run, { node, words: 'check', code: 1, says: /DISCONNECTED[\s\S]*to look at/ });
  }
  await expectTsha(run, { node: active, words: 'explain data', code: 1, says: /DISCONNECTED/ });
  await expectTsha(run, {
    ...{ node: active, words: `switch ${peer} -y`, code: 2 },
    says: /✗ both copies are UpToDate[\s\S]*refused/,
  });
  await expectTsha(run, { node: active, words: 'metrics', code: 0, says: /tsha_second_copy\{.*\} 0\n/ });

  checks.begin('syncing');
  await syncSlowly(run, active);
  const bar = '[█░]+ [\\d.]+ % +[\\d.]+ [KM]iB/s +.* left';
  await expectTsha(run, {
    ...{ node: active, words: 'status', code: 1, screen: 'syncing' },
    says: new RegExp(`${serves.source}[\\s\\S]*${active} → ${peer} +${bar}[\\s\\S]*SYNCING`),
  });
  await expectTsha(run, {
    ...{ node: peer, words: 'status', code: 1 },
    says: new RegExp(`${serves.source}[\\s\\S]*${peer} ← ${active} +${bar}[\\s\\S]*SYNCING`),
  });
  await expectTsha(run, { node: active, words: `switch -y`, code: 2, says: /✗ both copies are UpToDate/ });
  await expectTsha(run, { node: active, words: 'explain data', code: 1, says: /SYNCING/ });
  await syncQuickly(run, active);
}

/** The cluster manager of the standing node hangs, while its kernel and its DRBD go on. */
export async function halfDead(run: Run): Promise<void> {
  const { checks, lab, steps, cluster } = run;
  checks.begin('half-dead');
  const active = await activeNode(run);
  const peer = peerOf(active);
  await steps.run(`the cluster manager of ${peer} hangs`, 90, async (signal) => {
    await lab.machine(peer).run('pkill -STOP -f "^/usr/(sbin/corosync|lib/pacemaker/pacemaker-based)"', {
      signal,
    });
    await isGone(run, peer, signal);
  });
  await expectTsha(run, {
    ...{ node: active, words: 'status', code: 1, screen: 'half-dead, seen from the node that serves' },
    says: new RegExp(
      `DEGRADED +${active} serves 10\\.77\\.0\\.20[\\s\\S]*NODE_OFFLINE +${peer} is not in the cluster`,
    ),
  });
  await expectTsha(run, {
    ...{ node: peer, words: 'status', code: 3, screen: 'half-dead, seen from the half-dead node' },
    says: /UNKNOWN[\s\S]*(CLUSTER_NOT_HERE.*does not run|COULD_NOT_FIND_OUT.*(did not answer|does not answer))/,
  });
  for (const words of ['check', 'explain nfs_ip', 'switch -y', `maintenance on ${peer} -y`])
    await expectTsha(run, { node: peer, words, code: 3, says: /cibadmin|crm_mon|cluster/ });
  await expectTsha(run, {
    ...{ node: active, words: `switch ${peer} -y`, code: 2 },
    says: new RegExp(`✗ ${peer} is online and in service`),
  });
  await expectTsha(run, { node: active, words: `explain ${peer}`, code: 1, says: /OFFLINE/ });
  await steps.run(`${peer} is started again`, 180, async (signal) => {
    await lab
      .machine(peer)
      .run(
        'systemctl kill --signal=KILL pacemaker corosync; systemctl stop pacemaker corosync; systemctl reset-failed; systemctl start --no-block corosync pacemaker',
        { signal },
      );
    await cluster.joined(peer, signal);
  });
  await calm(run);
}
