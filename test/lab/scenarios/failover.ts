import { type NodeName, peerOf } from '../settings.ts';
import { judge } from './judge.ts';
import { nodeAway, now, type Run } from './run.ts';

/** The administrator takes the active node out of service. */
export async function standby(run: Run): Promise<void> {
  const { cluster, steps, checks } = run;
  checks.begin('standby');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  const happened = now();
  await steps.run(`standby ${active}: all six resources on ${peer}`, 300, async (signal) => {
    await cluster.standby(active, signal);
    await takenOver(run, peer, happened, signal);
  });
  checks.add('all six resources move', true, `${active} to ${peer}`);
  run.away = active;
  await judge(run, peer, happened, `standby of ${active}`);
  await judgeNeighbour(run, peer, happened);
}

/** The node comes back into service; nothing moves, its disk catches up. */
export async function unstandby(run: Run): Promise<void> {
  const { cluster, steps, checks, figures } = run;
  const node = nodeAway(run);
  checks.begin('unstandby');
  const happened = now();
  await steps.run(`unstandby ${node}: DRBD in sync`, 180, async (signal) => {
    await cluster.unstandby(node, signal);
    await cluster.joined(node, signal);
    await cluster.inSync(signal);
  });
  checks.add('DRBD is in sync again', true, `${node} joined`);
  figures.push({ scenario: `unstandby of ${node}`, outcome: 'in sync', movedAfter: now() - happened });
}

/** The active node dies without a word. */
export async function kill(run: Run): Promise<void> {
  const { cluster, lab, steps, checks } = run;
  checks.begin('kill');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  const happened = now();
  await steps.run(`kill -9 ${active}: all six resources on ${peer}`, 300, async (signal) => {
    await lab.kill(active);
    await takenOver(run, peer, happened, signal);
  });
  checks.add('all six resources are taken over', true, `${active} to ${peer}`);
  run.away = active;
  await judge(run, peer, happened, `kill -9 of ${active}`);
  await judgeNeighbour(run, peer, happened);
}

/** The dead node boots from its own disk and joins; the service stays where it is. */
export async function rejoin(run: Run): Promise<void> {
  const { cluster, lab, watch, steps, checks, figures } = run;
  const node = nodeAway(run);
  checks.begin('rejoin');
  const happened = now();
  await steps.run(`boot ${node} again: DRBD in sync`, 300, async (signal) => {
    await lab.boot([node], signal);
    watch.start(node);
    await cluster.start([node], signal);
    await cluster.joined(node, signal);
    await cluster.inSync(signal);
  });
  const home = await steps.run('where the resources are', 60, (signal) =>
    cluster.allStarted(signal, peerOf(node)),
  );
  checks.add('the node rejoins, nothing moves', home === peerOf(node));
  figures.push({ scenario: `rejoin of ${node}`, outcome: 'in sync', movedAfter: now() - happened });
  await judge(run, home, happened, `after the rejoin of ${node}`);
}

/** A failover without its address after this long may have failed: Pacemaker says so. */
const patience = 40;

/**
 * Asking Pacemaker takes half a second of a node's only processor. Whoever did so all the time would measure himself: it is asked
 * once the address, the last but one of the resources, is there.
 */
export async function takenOver(
  { cluster, watch }: Run,
  peer: NodeName,
  happened: number,
  signal: AbortSignal,
): Promise<void> {
  await watch.until(peer, 'address', happened, patience, signal);
  await cluster.allStarted(signal, peer);
}

/**
 * Until the client knows where the address went, it talks to a node that does not answer. By itself its kernel waits 5 s before it asks
 * again (`delay_first_probe_time`), and asks for 3 s: whoever is faster was told.
 */
const untoldSeconds = 8;
async function judgeNeighbour(run: Run, active: NodeName, happened: number): Promise<void> {
  const { watch, neighbour, steps, checks } = run;
  const arrived = watch.heldFrom(active, 'address', happened) ?? happened;
  const delay = await steps.run("the client's neighbour table", 60, (signal) =>
    neighbour.delay(active, arrived, signal),
  );
  const detail = delay === undefined ? 'never' : `${delay.toFixed(2)} s after the address was there`;
  checks.add(`the client is told of ${active}`, delay !== undefined && delay < untoldSeconds, detail);
}
