import { setTimeout as sleep } from 'node:timers/promises';
import { exportedFolder, resourceIds } from '../cluster/configuration.ts';
import { isInSync } from '../cluster/drbd.ts';
import { now, type Run } from '../scenarios/run.ts';
import { type NodeName, nodes, peerOf, serviceAddress } from '../settings.ts';
import type { FaultClients } from './clients.ts';

/** Seconds, each from the end of the fault: what was waited for until everything was as it should be. */
export interface Settled {
  home: NodeName;
  /** All resources run on one node, and it has all that a server is made of. */
  served: number;
  /** Every client has written. */
  written: number;
  /** Both nodes have the same data, and both are in the cluster. */
  synced: number;
  /** Every client had a lock: grace is over. */
  locked: number;
}

const helpers = ['rpc.mountd', 'rpc.statd', 'nfsdcld', 'rpcbind'];

/** Whatever Pacemaker believes: the kernel serves, each helper is there, and none of them is stopped. */
const serves = [
  `grep -q ' ${exportedFolder} ' /proc/self/mountinfo`,
  'test "$(cat /proc/fs/nfsd/threads)" -gt 0',
  `exportfs -v | grep -q '^${exportedFolder}[[:space:]]'`,
  `ip -4 -o address | grep -q ' ${serviceAddress}/'`,
  ...helpers.map((name) => `pgrep -x ${name}`),
  `! ps -C ${helpers.join(',')} -o stat= | grep -q T`,
].join(' && ');

/** All is well again, and stays so for a moment. */
export async function settle(
  run: Run,
  clients: FaultClients,
  since: number,
  signal: AbortSignal,
): Promise<Settled> {
  for (;;) {
    const home = await servedFrom(run, signal);
    const served = now();
    await clients.working(served, signal);
    const written = now();
    if (!(await bothInSync(run, home, signal))) continue;
    const synced = now();
    await clients.taking(served, signal);
    const locked = now();
    // between two actions of a transition everything may look as it should
    if ((await isIdle(run, home, signal)) && (await isServing(run, home, signal)))
      return {
        home,
        served: served - since,
        written: written - since,
        synced: synced - since,
        locked: locked - since,
      };
  }
}

async function servedFrom(run: Run, signal: AbortSignal): Promise<NodeName> {
  for (;;) {
    const home = await run.cluster.allStarted(signal);
    if (await isServing(run, home, signal)) return home;
    await sleep(500, undefined, { signal });
  }
}

const isServing = async ({ lab }: Run, node: NodeName, signal: AbortSignal): Promise<boolean> =>
  (await lab.machine(node).ask(`{ ${serves}; } > /dev/null && echo yes`, { signal })) === 'yes';

/** False where the service has moved on meanwhile: right after a fault the cluster may not have noticed yet. */
async function bothInSync({ cluster }: Run, home: NodeName, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const view = await cluster.seenFrom(home, signal);
    const roleOn = (node: NodeName) =>
      view?.resources.find((one) => one.id === resourceIds.drbd && one.node === node)?.role;
    if (roleOn(peerOf(home)) === 'Promoted') return false;
    if (roleOn(peerOf(home)) === 'Unpromoted') {
      const states = await Promise.all(nodes.map((node) => cluster.drbdOn(node, signal)));
      if (states.every(isInSync)) return true;
    }
    await sleep(500, undefined, { signal });
  }
}

/**
 * By the controllers' own word: one decides and is idle, the other leaves it to that one. What a node began by itself, before it had the other
 * one back, is pending in no list, and the decision waits for it: of a promotion, which DRBD refuses, for most of a minute.
 */
export const hasNothingToDo = (said: string): boolean =>
  [...said.matchAll(/ in state (\S+): ok/g)]
    .map(([, state]) => state)
    .toSorted()
    .join(' ') === 'S_IDLE S_NOT_DC';

/** Nothing is pending on either node, as both see it, both are online, neither is in standby, and nothing is left to itself. */
export async function isIdle({ cluster, lab }: Run, home: NodeName, signal: AbortSignal): Promise<boolean> {
  for (let looks = 0; looks < 2; looks++) {
    const states = nodes.map((node) => `crmadmin --status=${node}`).join('; ');
    if (!hasNothingToDo(await lab.machine(home).ask(`${states}; true`, { signal }))) return false;
    const views = await Promise.all([home, peerOf(home)].map((node) => cluster.seenFrom(node, signal)));
    const calm = views.every(
      (view) =>
        view?.nodes.every(({ online, standby, maintenance }) => online && !standby && !maintenance) &&
        view.resources.every(({ pending, managed }) => managed && (pending ?? 'Monitoring') === 'Monitoring'),
    );
    if (!calm) return false;
    await sleep(1000, undefined, { signal });
  }
  return true;
}
