import { sensitive, usual } from '../../cluster/corosync.ts';
import { type NodeName, peerOf } from '../../settings.ts';
import { takenOver } from '../failover.ts';
import { now, type Run } from '../run.ts';

/** How the service comes to the other node. */
export type Event = {
  readonly name: string;
  /** What must be so before the clients begin. */
  prepare?(run: Run, signal: AbortSignal): Promise<void>;
  happen(run: Run, from: NodeName, signal: AbortSignal): Promise<void>;
  /** What is done afterwards, until both copies are there again; told is when that was asked for. */
  repair(run: Run, from: NodeName, signal: AbortSignal): Promise<void>;
};

const move: Event = {
  name: 'move',
  async happen({ lab }, from, signal) {
    await lab
      .machine(peerOf(from))
      .run(`crm_resource --move --promoted --resource DataClone --node ${peerOf(from)}`, { signal });
  },
  async repair({ lab }, from, signal) {
    await lab.machine(peerOf(from)).run('crm_resource --clear --resource DataClone', { signal });
  },
};

const standby: Event = {
  name: 'standby',
  async happen({ cluster }, from, signal) {
    await cluster.standby(from, signal);
  },
  async repair({ cluster }, from, signal) {
    await cluster.unstandby(from, signal);
    await cluster.joined(from, signal);
  },
};

const kill: Event = {
  name: 'kill -9',
  async happen({ lab }, from) {
    await lab.kill(from);
  },
  async repair({ cluster, lab, watch }, from, signal) {
    await lab.boot([from], signal);
    watch.start(from);
    await cluster.start([from], signal);
    await cluster.joined(from, signal);
  },
};

/** With corosync as sensitive as is recommended; the other events have its default. */
const killSensitive: Event = {
  ...kill,
  name: `kill -9, token ${sensitive.token} ms`,
  async prepare({ lab }, signal) {
    await sensitive.apply(lab, signal);
  },
  async repair(run, from, signal) {
    await kill.repair(run, from, signal);
    await usual.apply(run.lab, signal);
  },
};

export const events: readonly Event[] = [move, standby, kill, killSensitive];

/** Does it, and returns when it happened; the service is back then. */
export async function play(run: Run, event: Event, from: NodeName, signal: AbortSignal): Promise<number> {
  const happened = now();
  await event.happen(run, from, signal);
  await takenOver(run, peerOf(from), happened, signal);
  return happened;
}
