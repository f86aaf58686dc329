import { setTimeout as sleep } from 'node:timers/promises';
import { resourceIds } from '../../cluster/configuration.ts';
import { isAlive } from '../../machines/processes.ts';
import { logFile, logPattern, parseActions } from '../../report/timeline.ts';
import { type NodeName, peerOf } from '../../settings.ts';
import { judge } from '../judge.ts';
import { now, type Run } from '../run.ts';

/** Of the server's stop: its daemons must not have been waited for. It takes 4 to 6 s; what waits for a job of the shutdown that waits for it would take the 90 s of its unit. */
const stopSeconds = 45;

/** The active node is rebooted in good order, first the one, then the other: a move like any other (N8). */
export async function reboots(run: Run): Promise<void> {
  for (const _ of [1, 2]) await reboot(run);
}

async function reboot(run: Run): Promise<void> {
  const { cluster, lab, watch, steps, checks } = run;
  checks.begin('reboot');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  const happened = now();
  await steps.run(`reboot of ${active}: all six resources on ${peer}`, 400, async (signal) => {
    await lab.machine(active).run('systemctl reboot --no-block', { signal });
    await watch.until(peer, 'address', happened, 60, signal);
    await cluster.allStarted(signal, peer);
  });
  await judge(run, peer, happened, `orderly reboot of ${active}`);
  await steps.run(`${active} is down`, 90, async (signal) => {
    const { pid } = lab.machine(active); // a machine that reboots ends here
    while (pid !== undefined && isAlive(pid)) await sleep(200, undefined, { signal });
  });
  await steps.run(`boot ${active} again: DRBD in sync`, 300, async (signal) => {
    await lab.kill(active);
    await lab.boot([active], signal);
    watch.start(active);
    await cluster.start([active], signal);
    await cluster.joined(active, signal);
    await cluster.inSync(signal);
  });
  const took = await steps.run('how long the server took to stop', 60, (signal) =>
    stopOf(run, active, happened, signal),
  );
  checks.add(
    `reboot of ${active}: its NFS server stops within ${stopSeconds} s`,
    took !== undefined && took <= stopSeconds,
    took === undefined ? 'not in its log' : `${took.toFixed(1)} s`,
  );
}

async function stopOf(
  { lab }: Run,
  node: NodeName,
  since: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const text = await lab.machine(node).run(`grep -aE '${logPattern}' ${logFile} || true`, { signal });
  const actions = parseActions(node, text, new Date(since * 1000).getUTCFullYear());
  const stop = actions.find(
    ({ action, resource, from }) =>
      action === 'stop' && resource === resourceIds.nfsserver && from >= since - 1,
  );
  return stop && stop.to - stop.from;
}
