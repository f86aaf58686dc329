import { setTimeout as sleep } from 'node:timers/promises';
import { layDisk } from '../cluster/disk.ts';
import type { Lab } from '../machines/lab.ts';
import { isAlive } from '../machines/processes.ts';
import type { Run } from '../scenarios/run.ts';
import type { NodeName } from '../settings.ts';

export const isOn = ({ lab }: Pick<Run, 'lab'>, node: NodeName): boolean => {
  const { pid } = lab.machine(node);
  return pid !== undefined && isAlive(pid);
};

/** A machine that shuts down, or reboots, ends there: nothing but `switchOn` boots it again. */
export async function isDown(run: Run, node: NodeName, signal: AbortSignal): Promise<void> {
  while (isOn(run, node)) await sleep(200, undefined, { signal });
}

interface Boot {
  done: Promise<void>;
  abort: AbortController;
}

/** Under way. By lab: two of them may run in one process. */
const boots = new WeakMap<Lab, Map<NodeName, Boot>>();

function bootsOf(lab: Lab): Map<NodeName, Boot> {
  const all = boots.get(lab) ?? new Map<NodeName, Boot>();
  boots.set(lab, all);
  return all;
}

/** Pulls the plug, also of a machine that is about to boot. */
export async function switchOff({ lab }: Run, node: NodeName): Promise<void> {
  const all = bootsOf(lab);
  all.get(node)?.abort.abort(new Error(`${node} was switched off while it booted`));
  all.delete(node);
  await lab.kill(node);
}

/** Boots a machine and starts what starts at boot elsewhere: its disk, and its cluster manager. Whoever calls it twice gets one boot. */
export async function switchOn(run: Run, node: NodeName, signal: AbortSignal): Promise<void> {
  const all = bootsOf(run.lab);
  const already = all.get(node);
  if (already) return await already.done;
  const abort = new AbortController();
  const done = comeUp(run, node, AbortSignal.any([signal, abort.signal]));
  const boot = { done, abort };
  all.set(node, boot);
  try {
    await done;
  } finally {
    if (all.get(node) === boot) all.delete(node);
  }
}

async function comeUp({ lab, watch, cluster }: Run, node: NodeName, signal: AbortSignal): Promise<void> {
  await lab.kill(node);
  await lab.boot([node], signal);
  watch.start(node);
  await lab.machine(node).run(layDisk, { signal });
  await cluster.start([node], signal);
}
