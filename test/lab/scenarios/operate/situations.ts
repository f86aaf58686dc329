import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeName, peerOf, serviceAddress } from '../../settings.ts';
import { playPage, type Situations } from '../../tutorial/play.ts';
import { startCluster } from '../bring-up.ts';
import type { Run } from '../run.ts';
import { letIn, splitTheData } from './split-brain.ts';
import { cutReplication, isGone, syncQuickly, syncSlowly } from './states.ts';
import { activeNode, calm, tsha } from './tsha.ts';

/** The node that serves whenever the page begins a story. */
const home = 'node1';

/** Both copies, nothing left behind, and the service at home. */
async function healthy(run: Run): Promise<NodeName> {
  const active = await calm(run);
  if (active !== home)
    await run.steps.run(`back to ${home}`, 300, (signal) => tsha(run, active, `switch ${home} -y`, signal));
  return await calm(run);
}

const onNode = ({ lab, steps }: Run, node: NodeName, title: string, command: string): Promise<string> =>
  steps.run(title, 120, (signal) => lab.machine(node).run(command, { signal, timeout: 110_000 }));

/** A monitor's failure that Pacemaker has answered by starting the address again. */
async function failedMonitor(run: Run): Promise<void> {
  const active = await healthy(run);
  const device = `$(ip -o address show to ${serviceAddress} | awk '{print $2}')`;
  const prefixed = `$(ip -o address show to ${serviceAddress} | awk '{print $4}')`;
  await onNode(run, active, 'the address is taken away', `ip address delete ${prefixed} dev ${device}`);
  await run.steps.run('Pacemaker notices, and starts it again', 180, async (signal) => {
    for (;;) {
      const state = await run.cluster.seenFrom(active, signal);
      if (state?.failures.some(({ resource }) => resource === 'nfs_ip')) break;
      await sleep(500, undefined, { signal });
    }
    await run.cluster.allStarted(signal, active);
  });
}

async function awayNode(run: Run): Promise<void> {
  const peer = peerOf(await healthy(run));
  await onNode(run, peer, `${peer} leaves the cluster`, 'systemctl stop pacemaker corosync');
  await run.steps.run(`${home} has noticed`, 60, (signal) => isGone(run, peer, signal));
}

/** From the moment on when the address has gone there are seconds until it is back: filesystem, DRBD, mount and server come before it. */
async function moving(run: Run): Promise<void> {
  const peer = peerOf(await healthy(run));
  await onNode(
    run,
    home,
    'a switch is under way',
    `tsha switch ${peer} -y > /root/switch 2>&1 < /dev/null & while ip -o address | grep -q '${serviceAddress}/'; do sleep 0.2; done`,
  );
}

/** The constraint is there, and Pacemaker goes on by it; only the command is gone. */
async function brokenOff(run: Run): Promise<void> {
  const peer = peerOf(await healthy(run));
  await onNode(
    run,
    home,
    'a switch is killed',
    `tsha switch ${peer} -y > /root/switch 2>&1 < /dev/null & pid=$!; until cibadmin --query --scope constraints | grep -q cli-; do sleep 0.2; done; kill -9 $pid`,
  );
  await run.steps.run('Pacemaker ends what it was told', 180, (signal) =>
    run.cluster.allStarted(signal, peer),
  );
}

async function diskLost(run: Run): Promise<void> {
  const active = await healthy(run);
  await onNode(run, active, 'DRBD lets go of the disk', 'drbdadm detach --force data');
}

async function split(run: Run): Promise<void> {
  await splitTheData(run, await healthy(run));
}

/** What a page of docs/ names in `<!-- lab: NAME -->`. */
export const situations: Situations = {
  healthy: async (run) => void (await healthy(run)),
  'healthy, as it was made': async (run) => {
    const away = ['term_signals', 'signal_delay'].map(
      (name) => `crm_resource --resource NFS --delete-parameter ${name}`,
    );
    await onNode(run, home, 'parameters of before are taken back', away.join('; '));
    await healthy(run);
  },
  moving,
  'replication is cut': async (run) => {
    await healthy(run);
    await cutReplication(run);
  },
  'the link is back': (run) => syncSlowly(run, home),
  'somebody disconnected': async (run) => {
    await syncQuickly(run, home);
    await onNode(run, await healthy(run), 'a hand disconnects', 'drbdadm disconnect data');
  },
  'a disk is lost': diskLost,
  'writes are suspended': async (run) => {
    await onNode(run, await healthy(run), 'somebody suspends writes', 'drbdadm suspend-io data');
  },
  'a node is away': awayNode,
  'a monitor has failed': failedMonitor,
  'a switch was killed': brokenOff,
  'a move was left behind': async (run) => {
    const peer = peerOf(await healthy(run));
    await onNode(run, home, 'a move', `crm_resource --resource DataClone --move --promoted --node ${peer}`);
    await run.steps.run('it has moved', 180, (signal) => run.cluster.allStarted(signal, peer));
  },
  'split brain': split,
  'split brain, and root may go from node to node': async (run) => {
    await letIn(run);
    await split(run);
  },
};

/** docs/operating.md from the first to the last command. */
export async function playOperating(run: Run): Promise<void> {
  run.checks.begin('operating.md');
  await startCluster(run);
  await activeNode(run);
  await playPage(run, 'operating.md', situations);
}
